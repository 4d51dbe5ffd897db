// Run by cores.ts: clients that only count what arrives.

import { io } from "socket.io-client";

const [url, room, count, messages] = process.argv.slice(2);
let done = 0;
for (let n = 0; n < Number(count); n += 1) {
  const socket = io(`${url}/chat`, { transports: ["websocket"], forceNew: true, auth: { protocol: 2 } });
  let last = 0;
  socket.on("events", ({ events }) => {
    if (last < Number(messages)) {
      last = events.at(-1).seq;
      if (last >= Number(messages)) done += 1;
      if (done === Number(count)) process.send("done");
    }
  });
  await socket.emitWithAck("sign_in", { name: `Receiver ${n}` });
  await socket.emitWithAck("join", { room });
}
process.send("joined");
