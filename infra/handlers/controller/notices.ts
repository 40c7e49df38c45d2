import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { Notify } from "../../../pipeline/controller/deeds.ts";

/** @see https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const SUBJECT_CHARACTERS_MAX = 100;

/** Tells people by a topic; a notice that comes again has the same key. */
export function noticesBy(sns: SNSClient, TopicArn: string): Notify {
  return async ({ key, rollout, about, sentence }) => {
    await sns.send(
      new PublishCommand({
        TopicArn,
        Subject: `Coalmine ${rollout}: ${about}`
          .replaceAll(/[^\x20-\x7E]/g, "?")
          .slice(0, SUBJECT_CHARACTERS_MAX),
        Message: `${sentence}\n\nnpx coalmine rollout show ${rollout}\n(${key})`,
      }),
    );
  };
}
