// 200 clients stop reading in a busy room, with the default ping window of 45 s; see support/slow.ts.

import { Server } from "../support/server.ts";
import { sentence, stopReading } from "../support/slow.ts";
import { test } from "../support/test.ts";

const WINDOW_MS = 45_000;

test("200 clients stop reading", async () => {
  const server = await Server.start({ HUBBUB_LIMITS: "off" });
  try {
    console.log(sentence(await stopReading(server, WINDOW_MS)));
  } finally {
    await server.dispose();
  }
});
