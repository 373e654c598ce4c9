/** The digest of a plaintext key, made inside the database so that keys never leave it. Of the exact text: no blank is cut off. */
export const hashSql = (k: string): string =>
  `'sha256:' || encode(sha256(convert_to(${k}.api_key::text, 'UTF8')), 'hex')`;
