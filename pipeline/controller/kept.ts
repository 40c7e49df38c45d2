import {
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3ServiceException,
  type S3Client,
} from "@aws-sdk/client-s3";
import type * as z from "zod";

/** JSON documents in a bucket: what is too large for an event, and read by people and auditors. */
export class KeptDocuments {
  readonly #s3: S3Client;
  readonly #bucket: string;

  constructor(s3: S3Client, bucket: string) {
    this.#s3 = s3;
    this.#bucket = bucket;
  }

  async read<Schema extends z.ZodType>(key: string, schema: Schema): Promise<z.infer<Schema> | undefined> {
    try {
      const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      return schema.parse(JSON.parse((await Body?.transformToString()) ?? ""));
    } catch (failure) {
      if (failure instanceof NoSuchKey) return undefined;
      throw failure;
    }
  }

  /** The first that is written stays, so that a verdict can be computed again from what it was made of. */
  async writeOnce<Schema extends z.ZodType>(
    key: string,
    schema: Schema,
    document: z.infer<Schema>,
  ): Promise<z.infer<Schema>> {
    try {
      await this.#put(key, document, "*");
      return document;
    } catch (failure) {
      if (!(failure instanceof S3ServiceException) || failure.$metadata.httpStatusCode !== 412) throw failure;
      return (await this.read(key, schema)) ?? document;
    }
  }

  async write(key: string, document: unknown): Promise<void> {
    await this.#put(key, document, undefined);
  }

  async #put(key: string, document: unknown, ifNoneMatch: string | undefined): Promise<void> {
    await this.#s3.send(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: JSON.stringify(document),
        ContentType: "application/json",
        ...(ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch }),
      }),
    );
  }
}
