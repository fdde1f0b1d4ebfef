// socket.io 4 with its Redis adapter, as its own guide sets it up: one room, and what the process has used, at /used.

import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [port, redisUrl] = process.argv.slice(2);
const options = redisUrl.startsWith("unix:") ? { socket: { path: new URL(redisUrl).pathname } } : { url: redisUrl };
const publisher = createClient(options);
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);

const http = createServer((request, response) => {
  const { user, system } = process.cpuUsage();
  response.end(JSON.stringify({ cpu_ns: (user + system) * 1000, rss_kb: Math.round(process.memoryUsage().rss / 1024) }));
});
// clients that ask for compression get it, others do not: as with the hub
const io = new Server(http, { transports: ["websocket"], adapter: createAdapter(publisher, subscriber, { key: "bench-io" }), perMessageDeflate: { threshold: 256 } });
io.on("connection", (socket) => {
  socket.on("watch", async (room) => {
    await socket.join(room);
    socket.emit("ack", room);
  });
});
http.listen(Number(port), "127.0.0.1");
