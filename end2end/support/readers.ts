// Many people who read one room, in their own process, which can be paused (readers.mjs).

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

import { root } from "./server.ts";

export interface Report {
  /** How many are in the room now. */
  joined: number;
  /** The `seq` of the reader who is furthest behind. */
  lowest: number;
  /** How often something was missing and had to be fetched. */
  filled: number;
  /** Events that did not follow the one before. */
  wrong: number;
  /** How many commands were refused. */
  refused: number;
  /** How many connections were made so far. */
  connects: number;
}

export class Readers {
  readonly #child: ChildProcess;

  constructor(
    url: string,
    room: string,
    readonly count: number,
    transport: "websocket" | "polling" = "websocket",
  ) {
    this.#child = fork(join(root, "end2end/support/readers.mjs"), [url, room, `${count}`, transport]);
  }

  async report(): Promise<Report> {
    return new Promise((told, failed) => {
      const gone = (): void => failed(new Error("the readers' process has ended"));
      this.#child.once("exit", gone);
      this.#child.once("message", (report) => {
        this.#child.off("exit", gone);
        told(report as Report);
      });
      this.#child.send("report");
    });
  }

  /** Pauses all of them at once; their connections stay open. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  dispose(): void {
    this.#child.kill("SIGKILL");
  }
}
