declare module 'vitest' {
  interface ProvidedContext {
    /**
     * Where the first test that needs PostgreSQL asks for it: runs without such a test do not start
     * one.
     */
    postgresOffice: string;
  }
}

export const officeName = 'postgresOffice';
