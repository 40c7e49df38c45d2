/** Loaded with the first request, and no more of the SDK than the port needs. */
export { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
