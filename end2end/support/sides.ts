// Hubbub and the chat that it is compared with. Each has three processes, its own Redis (Hubbub also a database), the
// same nginx in front, and the same people in their own room: two talkers and one listener per process.

import { ChatClient, type ChatOptions } from "./client.ts";
import { Cluster } from "./cluster.ts";
import { Listener, Talker } from "./load.ts";
import { PeerEar, PeerSite, PeerVoice } from "./peer.ts";
import { COOKIE } from "./proxy.ts";
import { freshTitle } from "./seed.ts";
import { type Group, People, type Site, type Voice } from "./site.ts";
import type { Stores } from "./stores.ts";

export type SideName = "hubbub" | "socketio";

export interface SiteOptions {
  /** Hubbub only: opens what the replicas share. */
  share?: () => Promise<Stores>;
  envOf?: ((replica: number) => Record<string, string>) | undefined;
}

export interface PeopleOptions {
  /** The address they use instead of the proxy. */
  url?: string | undefined;
  /** Connect directly to the replicas. */
  direct?: boolean;
  /** All use WebSocket. Otherwise those on the first replica poll. */
  webSocketOnly?: boolean | undefined;
  /** Hubbub only: use this room instead of a new one. */
  room?: string | undefined;
  /** The number of replicas to use, and the first of them. */
  replicas?: number;
  first?: number;
  voicesPerReplica?: number;
  everyMs?: number;
}

export interface Side {
  readonly name: SideName;
  site(options?: SiteOptions): Promise<Site>;
  people(site: Site, options?: PeopleOptions): Promise<People>;
}

/** How the web app reconnects. */
const RECONNECTION: ChatOptions = { reconnectionDelay: 500, reconnectionDelayMax: 5_000 };

type Open = (url: string, replica: number, options: ChatOptions) => Promise<Group>;

async function spread(site: Site, options: PeopleOptions, open: Open, room?: string): Promise<People> {
  const { url = site.proxy.url, direct = false, webSocketOnly = false, replicas = site.replicas.length, first = 0 } = options;
  const groups: Group[] = [];
  for (let n = first; n < first + replicas; n += 1) {
    const cookie = `${COOKIE}=${await site.proxy.cookie(n % site.replicas.length)}`;
    const transports = n === 0 && !webSocketOnly ? ["polling"] : ["websocket"];
    const own = site.replicas[n % site.replicas.length]?.url;
    groups.push(await open(direct && own !== undefined ? own : url, n, { ...RECONNECTION, transports, extraHeaders: { cookie } }));
  }
  return new People(groups, room);
}

const EVERY_MS = 100;
const VOICES = 2;
let rooms = 0;

async function signedIn(url: string, name: string, options?: ChatOptions): Promise<ChatClient> {
  const client = new ChatClient(url, options);
  await client.signIn(name);
  return client;
}

export const hubbub: Side = {
  name: "hubbub",
  site: (options = {}) => Cluster.start({ proxy: "nginx", env: { HUBBUB_LIMITS: "off" }, ...options }),
  people: async (site, options = {}) => {
    let room = options.room;
    if (room === undefined) {
      const host = await signedIn(site.proxy.url, "Host");
      room = (await host.createRoom(freshTitle("Fault"))).room;
      host.close();
    }
    const name = room;
    rooms += 1;
    const group = rooms;
    const open: Open = async (url, n, how) => {
      const voices: Voice[] = [];
      const ear = await Listener.start(await signedIn(url, `Listener ${n}`, how), name);
      for (let i = 0; i < (options.voicesPerReplica ?? VOICES); i += 1) {
        const who = `h${group}-${n}-${i}`;
        voices.push(new Talker(await signedIn(url, who, how), who, name, options.everyMs ?? EVERY_MS));
      }
      return { voices, ear };
    };
    return spread(site, options, open, name);
  },
};

export const socketio: Side = {
  name: "socketio",
  site: ({ envOf } = {}) => PeerSite.start(3, envOf),
  people: async (site, options = {}) => {
    rooms += 1;
    const group = rooms;
    return spread(site, options, async (url, n, how) => {
      const ear = await PeerEar.open(url, `Listener ${n}`, how);
      const voices: Voice[] = [];
      for (let i = 0; i < (options.voicesPerReplica ?? VOICES); i += 1) {
        voices.push(await PeerVoice.open(url, `p${group}-${n}-${i}`, options.everyMs ?? EVERY_MS, how));
      }
      return { voices, ear };
    });
  },
};
