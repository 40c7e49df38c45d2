import * as z from "zod";

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export const BucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be a bucket name: 3 to 63 of a-z, 0-9, '.' and '-'");
/** What the keys of objects begin with, without a slash at either end. */
export const KeyPrefix = z
  .string()
  .regex(
    /^[A-Za-z0-9_.=-]+(\/[A-Za-z0-9_.=-]+)*$/,
    "must be path parts of A-Z a-z 0-9 _ . = -, joined by '/'",
  )
  .max(200);
