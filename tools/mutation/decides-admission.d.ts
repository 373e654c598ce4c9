export declare const decidesAdmission: string[];
