/**
 * The local CloudWatch Logs in a process of its own: every rule of PutLogEvents enforced, and one request for it in
 * fifty turned away as throttled. Tells its parent where it listens, and answers what it is asked about a stream.
 */
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { listen } from "../../simulator/cloud/protocol/http-server.ts";
import { startTestCloud } from "../../simulator/cloud/protocol/test-cloud.ts";

const REJECT_EVERY = 50;

const Asked = z.object({ group: z.string(), stream: z.string() });
const Page = z.object({
  events: z.array(z.object({ timestamp: z.number(), ingestionTime: z.number() })),
  nextForwardToken: z.string(),
});

const { cloud, client } = await startTestCloud({ clock: systemClock });
let puts = 0;
let rejected = 0;
const door = await listen(
  async (request) => {
    if (request.headers["x-amz-target"]?.endsWith(".PutLogEvents") === true && ++puts % REJECT_EVERY === 0) {
      rejected++;
      return {
        status: 400,
        headers: { "content-type": "application/x-amz-json-1.1" },
        body: '{"__type":"ThrottlingException","message":"Rate exceeded"}',
      };
    }
    return cloud.handle(request);
  },
  { port: 0 },
);

/** Counts the stream's events and tells how long after its time each arrived; then forgets the group. */
async function answer({ group, stream }: z.infer<typeof Asked>): Promise<object> {
  const latenciesMs: number[] = [];
  for (let token: string | undefined; ;) {
    const page = Page.parse(
      await cloud.invoke("logs", "GetLogEvents", {
        logGroupName: group,
        logStreamName: stream,
        startFromHead: true,
        ...(token === undefined ? {} : { nextToken: token }),
      }),
    );
    if (page.nextForwardToken === token) break;
    token = page.nextForwardToken;
    for (const { timestamp, ingestionTime } of page.events) latenciesMs.push(ingestionTime - timestamp);
  }
  await cloud.invoke("logs", "DeleteLogGroup", { logGroupName: group });
  return { events: latenciesMs.length, latenciesMs: latenciesMs.slice(0, 10_000), puts, rejected };
}

process.on("message", (message) => {
  void answer(Asked.parse(message)).then((told) => process.send?.(told));
});
process.on("disconnect", () => process.exit(0));
process.send?.({ ...client, endpoint: door.endpoint });
