// Range requests and conditional requests, as in RFC 9110.

import { expect, testWithOwnServer as test } from "../support/test.ts";

test("a range is served, refused or ignored, and never causes a server error", async ({ ownServer }) => {
  const url = `${ownServer.url}/favicon.ico`;
  const whole = await fetch(url);
  const { length } = new Uint8Array(await whole.arrayBuffer());
  const tag = whole.headers.get("etag") ?? "";
  const [past, future] = ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"];
  const rows: [Record<string, string>, number, number][] = [
    [{ range: "bytes=0-9" }, 206, 10],
    [{ range: "bytes=-5" }, 206, 5],
    [{ range: "bytes=0-99999999" }, 206, length],
    [{ range: "bytes=5-2" }, 416, 0],
    [{ range: "bytes=-0" }, 416, 0],
    [{ range: "bytes=99999999-" }, 416, 0],
    // Several ranges and unknown units are ignored.
    [{ range: "bytes=0-0,5-6" }, 200, length],
    [{ range: "items=0-5" }, 200, length],
    // Parts of different versions must not be combined.
    [{ range: "bytes=0-9", "if-range": '"another"' }, 200, length],
    [{ range: "bytes=0-9", "if-range": past }, 200, length],
    [{ "if-none-match": tag }, 304, 0],
    [{ "if-modified-since": future }, 304, 0],
    [{ "if-modified-since": past }, 200, length],
    [{ "if-modified-since": "yesterday" }, 200, length],
    [{ "if-unmodified-since": past }, 412, 0],
  ];
  for (const [headers, status, bytes] of rows) {
    const answer = await fetch(url, { headers });
    const body = await answer.arrayBuffer();
    expect([answer.status, body.byteLength], JSON.stringify(headers)).toEqual([status, bytes]);
  }
});
