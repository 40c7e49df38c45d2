import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { idle } from "./idle.ts";

const s3 = new S3Client({ maxAttempts: 1 });
// Nobody answers; all that a request needs is loaded by then.
await s3.send(new PutObjectCommand({ Bucket: "parts", Key: "one", Body: "one" })).catch(() => undefined);
idle();
