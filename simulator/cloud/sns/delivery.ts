import type { Clock, Log } from "@coalmine/ports";
import { Attempts } from "../attempts.ts";
import type { Functions } from "../functions.ts";
import { createOnce, writeLines } from "../logs/write-lines.ts";
import type { Input, Output, Place } from "../service.ts";
import type { PostToEndpoint } from "./http-endpoint.ts";
import { limits } from "./limits.ts";
import { notification, type Message } from "./message.ts";
import type { Subscription } from "./topic-store.ts";

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly place: Place;
  readonly log: Log;
  readonly invoke: (service: string, operation: string, input: Input) => Promise<Output>;
  readonly functions: Functions;
  /** Absent where the cloud may not use the network. */
  readonly post: PostToEndpoint | undefined;
}

/** Brings messages to their subscribers, a few times if need be. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #attempts: Attempts;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#attempts = new Attempts({ ...limits, ...options, lost: "a message was not delivered" });
  }

  /** Ends what waits for its next try. */
  stop(): void {
    this.#attempts.stop();
  }

  send(subscription: Subscription, message: Message): void {
    const { topicArn, endpoint } = subscription;
    this.#attempts.begin({ topicArn, endpoint }, () => this.#deliver(subscription, message));
  }

  /** Asks an HTTP endpoint whether it wants to be one. */
  askToConfirm({ arn, topicArn, endpoint, pendingToken }: Subscription, messageId: string, at: number): void {
    const { place } = this.#options;
    const body = {
      Type: "SubscriptionConfirmation",
      MessageId: messageId,
      Token: pendingToken,
      TopicArn: topicArn,
      Message: `You have chosen to subscribe to the topic ${topicArn}. To confirm the subscription, call ConfirmSubscription with the token.`,
      Timestamp: new Date(at).toISOString(),
      Region: place.region,
    };
    this.#attempts.begin({ topicArn, endpoint }, () =>
      this.#post(endpoint, JSON.stringify(body), { ...body, arn, isRaw: false }),
    );
  }

  async #deliver(subscription: Subscription, message: Message): Promise<void> {
    const { arn, protocol, endpoint, attributes } = subscription;
    const text = message.texts[protocol] ?? message.texts["default"] ?? "";
    const told = notification(message, text, `urn:unsubscribe:${arn}`);
    const isRaw = attributes.RawMessageDelivery === "true";
    if (protocol === "lambda") await this.#call(endpoint, arn, told);
    else if (protocol === "http" || protocol === "https")
      await this.#post(endpoint, isRaw ? text : JSON.stringify(told), { ...told, arn, isRaw });
    else await this.#write(subscription, message, text);
  }

  async #call(functionArn: string, EventSubscriptionArn: string, told: object): Promise<void> {
    const record = { EventSource: "aws:sns", EventVersion: "1.0", EventSubscriptionArn, Sns: told };
    await this.#options.functions.call(functionArn, { Records: [record] });
  }

  async #post(
    endpoint: string,
    body: string,
    told: { readonly [name: string]: unknown; readonly arn: string; readonly isRaw: boolean },
  ): Promise<void> {
    const status = await this.#options.post?.(
      endpoint,
      {
        "content-type": "text/plain; charset=UTF-8",
        "x-amz-sns-message-type": String(told["Type"]),
        "x-amz-sns-message-id": String(told["MessageId"]),
        "x-amz-sns-topic-arn": String(told["TopicArn"]),
        "x-amz-sns-subscription-arn": told.arn,
        ...(told.isRaw ? { "x-amz-sns-rawdelivery": "true" } : {}),
      },
      body,
    );
    if (status === undefined || status < 200 || status > 299)
      throw new Error(`the endpoint answered ${status ?? "nothing"}`);
  }

  /** Mail and text messages leave nobody's machine: they are lines in a log group. */
  async #write({ protocol, endpoint }: Subscription, { subject, at }: Message, text: string): Promise<void> {
    const { invoke } = this.#options;
    const logGroupName = `/aws/sns/${protocol}`;
    await createOnce(invoke("logs", "CreateLogGroup", { logGroupName }));
    const message = JSON.stringify({ to: endpoint, subject, text });
    const logStreamName = endpoint.replaceAll(/[:*]/g, "_");
    await writeLines(invoke, { logGroupName, logStreamName }, [{ timestamp: at, message }]);
  }
}
