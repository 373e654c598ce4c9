import type { ServerResponse } from 'node:http';

/** Ends an answer with a text, and sets its type and length. */
export function sendText(res: ServerResponse, status: number, type: string, text: string): void {
  res.statusCode = status;
  res.setHeader('Content-Type', type);
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}

export function sendJson(
  res: ServerResponse,
  status: number,
  value: object,
  type = 'application/json',
): void {
  sendText(res, status, type, JSON.stringify(value));
}
