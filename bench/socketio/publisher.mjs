// Publishes through socket.io's own Redis emitter what the line of its standard input says: {room, publications: [{every_ms, type, text}], seconds}.

import { createInterface } from "node:readline";
import { Emitter } from "@socket.io/redis-emitter";
import { createClient } from "redis";

const redisUrl = process.argv[2];
const client = createClient(redisUrl.startsWith("unix:") ? { socket: { path: new URL(redisUrl).pathname } } : { url: redisUrl });
await client.connect();
const emitter = new Emitter(client, { key: "bench-io" });

for await (const line of createInterface({ input: process.stdin })) {
  const { room, publications, seconds } = JSON.parse(line);
  const begun = performance.now();
  let sent = 0;
  await Promise.all(
    publications.map(async ({ every_ms: every, type, text }) => {
      for (let number = 0; number * every < seconds * 1000; number += 1) {
        const wait = number * every - (performance.now() - begun);
        if (wait > 0) await new Promise((resume) => setTimeout(resume, wait));
        emitter.to(room).emit(type, { t: BigInt(Date.now()) * 1000000n + "", n: number, text });
        sent += 1;
      }
    }),
  );
  console.log(JSON.stringify({ sent }));
}
await client.quit();
