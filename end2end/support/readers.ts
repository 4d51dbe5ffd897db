// Many people who read one room, in a process of their own that can be made to stand still (readers.mjs).

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

import { root } from "./server.ts";

export interface Report {
  /** How many are in the room now. */
  joined: number;
  /** The place of the one who is furthest behind. */
  lowest: number;
  /** How often something was missing and had to be asked for. */
  filled: number;
  /** Places that did not follow the one before. */
  wrong: number;
  /** Commands that were refused. */
  refused: number;
  /** Connections so far. */
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

  /** Stand still, all at once, their connections open. */
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
