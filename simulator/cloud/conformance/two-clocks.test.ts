/**
 * A cloud's own clock and the wall are twelve hours apart, either way: clients that know only the wall work unmodified,
 * and inside the cloud its own clock counts. Plays the design's two rules of time.
 */
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateThingCommand, DescribeThingCommand } from "@aws-sdk/client-iot";
import type { Clock } from "@coalmine/ports";
import { systemClock } from "@coalmine/runtime/system-clock";
import { expect, test } from "vitest";
import { ConformanceCloud, ROLE_ALIAS } from "./conformance-cloud.ts";
import { nucleusFilters, topicsOf } from "./nucleus-words.ts";

const HOUR_MS = 3_600_000;

test.each([12, -12])("with a clock that is %i hours from the wall", async (hours) => {
  const apart: Clock = { ...systemClock, now: () => systemClock.now() + hours * HOUR_MS };
  const cloud = await ConformanceCloud.start(apart);
  try {
    const near = (instant: number, clock: Clock): void =>
      expect(Math.abs(instant - clock.now())).toBeLessThan(120_000);
    // SigV4 by the wall, what is stored by the cloud's clock.
    await cloud.iot.send(new CreateThingCommand({ thingName: "stored" }));
    await cloud.iot.send(new DescribeThingCommand({ thingName: "stored" }));
    const head = await fetch(cloud.endpoint);
    near(Date.parse(head.headers.get("date") ?? ""), systemClock);
    // TLS by the wall, with a certificate that the cloud made.
    const core = await cloud.device("apart", "group");
    await core.start();
    await core.subscribe(...nucleusFilters("apart"));
    const { next, shadow } = topicsOf("apart");
    await core.publish(next, { thingName: "apart", jobId: "$next", includeJobDocument: true });
    near((await core.next(`${next}/accepted`)).timestamp * 1000, apart);
    await core.publish(`${shadow}/update`, { state: { reported: { a: 1 } } });
    near((await core.next(`${shadow}/update/accepted`)).timestamp * 1000, apart);
    // A pre-signed URL is read at once by whoever has it.
    const arn = await cloud.component("com.example.Apart", "1.0.0");
    const path = `/greengrass/v2/components/${encodeURIComponent(arn)}/artifacts/run.sh`;
    const { preSignedUrl } = (await core.dataPlane("GET", path)).body;
    expect((await fetch(preSignedUrl)).status).toBe(200);
    // What an SDK is told of its credentials is on the wall; how long they count is the cloud's matter.
    const { credentials } = (await core.credentials(ROLE_ALIAS)).body;
    near(Date.parse(credentials.expiration) - HOUR_MS, systemClock);
    const s3 = new S3Client({
      endpoint: cloud.endpoint,
      region: "us-east-1",
      maxAttempts: 1,
      credentials: { ...credentials, expiration: new Date(credentials.expiration) },
    });
    const get = new GetObjectCommand({ Bucket: "artifacts", Key: "com.example.Apart/1.0.0/run.sh" });
    near((await s3.send(get)).LastModified?.getTime() ?? 0, apart);
    await cloud.control("jump-clock", { seconds: 3601 });
    await expect(s3.send(get)).rejects.toMatchObject({ name: "ExpiredToken" });
    await core.stop();
  } finally {
    await cloud.close();
  }
});
