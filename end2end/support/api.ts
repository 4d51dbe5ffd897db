// A program that sends commands over HTTP.

import type { Reply } from "./protocol.ts";

export type Answered<T> = { status: number; headers: Headers; reply: Reply<T> };

/** Sends a command. Without a payload the body is empty. */
export async function post<T>(url: string, command: string, payload?: unknown, headers: Record<string, string> = {}): Promise<Answered<T>> {
  const body = payload === undefined ? {} : { body: typeof payload === "string" ? payload : JSON.stringify(payload) };
  const type: Record<string, string> = payload === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(`${url}/api/v1/${command}`, { method: "POST", headers: { ...type, ...headers }, ...body });
  return { status: response.status, headers: response.headers, reply: (await response.json()) as Reply<T> };
}

/** The header that identifies the caller. */
export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
