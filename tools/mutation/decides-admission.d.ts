export interface Room {
  readonly name: string;
  readonly files: readonly string[];
  readonly tests: readonly string[];
}
export declare const rooms: readonly Room[];
export declare const decidesAdmission: string[];
export declare const admissionTests: string[];
