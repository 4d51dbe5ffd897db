// Replicas die, stop, restart and disagree about the time.

import { existsSync, readdirSync } from "node:fs";

import { NotPossible, faultRow, seconds } from "../support/faults.ts";


const KILLS = 4;

faultRow({ fault: "Replica SIGKILL every 10 s", often: `${KILLS} times, another one each time` }, async ({ site, recovered }) => {
  for (let kill = 0; kill < KILLS; kill += 1) {
    const replica = site.replicas[kill % site.replicas.length];
    const next = seconds(10);
    const killed = performance.now();
    await replica?.kill();
    // As systemd does (`RestartSec=1`).
    const back = seconds(1).then(() => replica?.up());
    await recovered(killed);
    await Promise.all([back, next]);
  }
});

faultRow({ fault: "Replica SIGSTOP for 30 s, then on", often: "once" }, async ({ site, people, recovered }) => {
  site.replicas[1]?.pause();
  await seconds(30);
  await people.flow();
  const on = performance.now();
  site.replicas[1]?.resume();
  await recovered(on);
});

faultRow({ fault: "Rolling restart", often: "every replica, twice" }, async ({ site, people, recovered }) => {
  for (let round = 1; round <= 2; round += 1) {
    for (const replica of site.replicas) {
      const began = performance.now();
      await replica.down();
      await replica.up();
      await recovered(began);
      await people.flow();
    }
  }
});


/** Where Debian's package `libfaketime` puts it. */
const FAKETIME = readdirSync("/usr/lib").map((folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`).find(existsSync);
/** By how many seconds each replica's clock is off. */
const OFF = [3_600, 0, -3_600];

/** Only the wall clock is off; the monotonic clock is right. */
const clock = (replica: number): Record<string, string> =>
  FAKETIME && OFF[replica]
    ? { LD_PRELOAD: FAKETIME, FAKETIME: `${OFF[replica] > 0 ? "+" : ""}${OFF[replica]}s`, FAKETIME_DONT_FAKE_MONOTONIC: "1", DONT_FAKE_MONOTONIC: "1" }
    : {};

faultRow(
  { fault: "Clocks one hour apart", often: "+1 h, right, −1 h; each replica SIGKILLed once", site: { envOf: clock } },
  async ({ site, people, recovered }) => {
    if (!FAKETIME) throw new NotPossible("libfaketime is not installed");
    for (const [n, { url }] of site.replicas.entries()) {
      const said = Date.parse((await fetch(`${url}/readyz`)).headers.get("date") ?? "");
      const off = Math.round((said - Date.now()) / 1_000);
      if (!(Math.abs(off - (OFF[n] ?? 0)) < 5)) throw new NotPossible(`libfaketime has no effect: replica ${n} is ${off} s off`);
    }
    for (const replica of site.replicas) {
      const killed = performance.now();
      await replica.kill();
      await recovered(killed);
      await replica.up();
      await people.flow(100);
    }
  },
);
