// A network between people and a proxy that loses 5 % of its packets and has a round trip of 200 ms. It is a network
// namespace with only a loopback device, so nothing on the machine changes. The kernel's netem does both if available;
// otherwise nftables drops packets and a proxy delays.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { FaultProxy } from "./fault-proxy.ts";
import { type Gateway, NotPossible } from "./faults.ts";
import { Process } from "./process.ts";
import { root } from "./server.ts";

const LOSS_PERCENT = 5;
const ONE_WAY_MS = 100;

const run = promisify(execFile);
const NETEM = `tc qdisc add dev lo root netem loss ${LOSS_PERCENT}% delay ${ONE_WAY_MS}ms`;
const NFT = `printf 'table inet lossy {\\n chain in {\\n type filter hook input priority 0;\\n numgen random mod 100 < ${LOSS_PERCENT} counter drop\\n }\\n}\\n' | nft -f -`;
const PREPARE = "ip link set lo mtu 1500 up";
const UNSHARE = process.getuid?.() === 0 ? ["-n"] : ["-r", "-n"];

export interface LossyGateway extends Gateway {
  /** The means that lose the packets. */
  how: string;
}

async function possible(command: string): Promise<boolean> {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
  return run("unshare", [...UNSHARE, "sh", "-ec", `${PREPARE} && ${command}`], { env }).then(() => true, () => false);
}

export async function lossy(target: string): Promise<LossyGateway> {
  const netem = await possible(NETEM);
  if (!netem && !(await possible(NFT))) throw new NotPossible("neither netem nor nftables works in a network namespace here");
  const folder = await mkdtemp(join(tmpdir(), "hubbub-lossy-"));
  const [into, out] = [join(folder, "in"), join(folder, "out")];
  const back = await FaultProxy.start(target, { path: out, delayMs: netem ? 0 : ONE_WAY_MS });
  const script = `${PREPARE} && ${netem ? NETEM : NFT} && exec "$0" "$@"`;
  const relay = new Process("the lossy network", {
    program: "unshare",
    args: [...UNSHARE, "sh", "-ec", script, process.execPath, join(root, "end2end/support/lossy.mjs"), "9000", into, out],
    env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
  });
  await relay.up(async () => existsSync(into));
  const front = await FaultProxy.start(into);
  return {
    url: front.url,
    how: netem ? "netem" : "loss by nftables, delay by a proxy",
    dispose: async () => {
      await front.dispose();
      await relay.kill();
      await back.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
