// What the benchmark's peers do for a client, on Socket.IO: rooms, join with history, broadcast. All state is in this
// process's memory.

const HISTORY = 50;

export const listen = (http, options) => new Promise((done) => http.listen({ host: "127.0.0.1", ...options }, done));

/** Registers the handlers of `join` and `message` for all clients of `io`. */
export function serve(io) {
  const rooms = new Map();

  const roomNamed = (name) => {
    let room = rooms.get(name);
    if (!room) rooms.set(name, (room = { seq: 0, events: [] }));
    return room;
  };

  io.on("connection", (socket) => {
    const author = { id: socket.id, name: String(socket.handshake.auth.name ?? "anonymous") };

    socket.on("join", (name, acknowledge) => {
      socket.join(name);
      acknowledge?.({ events: roomNamed(name).events });
    });

    socket.on("message", ({ room: name, client_id, text }, acknowledge) => {
      const room = roomNamed(name);
      const event = { room: name, seq: ++room.seq, at: Date.now(), author, client_id, text };
      if (room.events.push(event) > HISTORY) room.events.shift();
      io.to(name).emit("message", event);
      acknowledge?.({ seq: event.seq });
    });
  });
}
