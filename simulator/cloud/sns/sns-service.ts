import type { Clock, Random } from "@coalmine/ports";
import * as z from "zod";
import { ServiceError, type Input, type Output, type Place, type Service } from "../service.ts";
import { pageFrom } from "../page.ts";
import type { Store } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { Delivery, type DeliveryOptions } from "./delivery.ts";
import { invalid, parsed } from "./errors.ts";
import { isLoopbackUrl } from "./http-endpoint.ts";
import { limits } from "./limits.ts";
import { filterable, jsonOf, MessageInput, textsOf, type Message } from "./message.ts";
import { filterOf, protocols, SubscriptionAttributes, TopicStore, type Subscription } from "./topic-store.ts";

export interface SnsOptions extends DeliveryOptions {
  readonly store: Store;
  readonly random: Random;
}

const Attributes = z.record(z.string(), z.string()).default({});
const SubscribeInput = z.object({
  TopicArn: z.string(),
  Protocol: z.enum(protocols, "Protocol"),
  Endpoint: z.string().min(1),
  Attributes,
});
const BatchEntries = z.array(z.object({ Id: z.string().regex(/^[\w-]{1,80}$/) }).loose());

/** SNS: topics, and messages to functions, HTTP endpoints on this machine, and log groups in place of mail. */
export class SnsService implements Service {
  readonly signingName = "sns";
  readonly operations: Service["operations"];
  readonly #topics: TopicStore;
  readonly #delivery: Delivery;
  readonly #hasNetwork: boolean;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #place: Place;

  constructor(options: SnsOptions) {
    this.#topics = new TopicStore(options.store);
    this.#delivery = new Delivery(options);
    this.#hasNetwork = options.post !== undefined;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#place = options.place;
    this.operations = {
      CreateTopic: (input) => this.#createTopic(input),
      DeleteTopic: ({ TopicArn }: Input) => {
        this.#topics.delete(TopicArn);
        return {};
      },
      ListTopics: (input) => {
        const { items, NextToken } = page([...this.#topics.topics.entries()], input);
        return { Topics: items.map(([TopicArn]) => ({ TopicArn })), NextToken };
      },
      GetTopicAttributes: ({ TopicArn }: Input) => this.#topicAttributes(TopicArn),
      SetTopicAttributes: ({ TopicArn, AttributeName, AttributeValue }: Input) => {
        const topic = this.#topics.topic(TopicArn);
        const attributes = { ...topic.attributes, [AttributeName]: AttributeValue ?? "" };
        this.#topics.topics.set(TopicArn, { ...topic, attributes });
        return {};
      },
      Subscribe: (input) => this.#subscribe(input),
      ConfirmSubscription: ({ TopicArn, Token }: Input) => {
        const found = this.#topics.subscriptionsOf(TopicArn).find((one) => one.pendingToken === Token);
        if (found === undefined) throw invalid("Token");
        const { pendingToken: _, ...confirmed } = found;
        this.#topics.set(confirmed);
        return { SubscriptionArn: found.arn };
      },
      Unsubscribe: ({ SubscriptionArn }: Input) => {
        this.#topics.unsubscribe(SubscriptionArn);
        return {};
      },
      ListSubscriptions: (input) => subscriptionPage(this.#topics.subscriptions, this.#place, input),
      ListSubscriptionsByTopic: (input) => {
        this.#topics.topic(input.TopicArn);
        return subscriptionPage(this.#topics.subscriptionsOf(input.TopicArn), this.#place, input);
      },
      GetSubscriptionAttributes: ({ SubscriptionArn }: Input) =>
        this.#subscriptionAttributes(SubscriptionArn),
      SetSubscriptionAttributes: ({ SubscriptionArn, AttributeName, AttributeValue }: Input) => {
        const subscription = this.#topics.subscription(SubscriptionArn);
        const given = { ...subscription.attributes, [AttributeName]: AttributeValue };
        this.#topics.set({ ...subscription, attributes: attributesOf(given) });
        return {};
      },
      Publish: (input) => this.#publish(input),
      PublishBatch: (input) => this.#publishBatch(input),
    };
  }

  stop(): void {
    this.#delivery.stop();
  }

  #createTopic(input: Input): Output {
    const name = String(input.Name);
    if (name.endsWith(".fifo")) throw invalid("Topic Name: FIFO topics are not simulated");
    if (!/^[\w-]{1,256}$/.test(name)) throw invalid("Topic Name");
    const { region, accountId } = this.#place;
    const TopicArn = `arn:aws:sns:${region}:${accountId}:${name}`;
    const attributes = parsed(Attributes, input.Attributes);
    if (this.#topics.topics.get(TopicArn) === undefined) {
      if (this.#topics.topics.size >= limits.topicsMax)
        throw new ServiceError(
          "TopicLimitExceededException",
          403,
          `The account has ${limits.topicsMax} topics.`,
        );
      this.#topics.topics.set(TopicArn, { arn: TopicArn, attributes, createdAt: this.#clock.now() });
    }
    return { TopicArn };
  }

  #topicAttributes(arn: string): Output {
    const topic = this.#topics.topic(arn);
    const subscriptions = this.#topics.subscriptionsOf(arn);
    const pending = subscriptions.filter((one) => one.pendingToken !== undefined).length;
    return {
      Attributes: {
        TopicArn: arn,
        Owner: this.#place.accountId,
        DisplayName: "",
        ...topic.attributes,
        SubscriptionsConfirmed: String(subscriptions.length - pending),
        SubscriptionsPending: String(pending),
        SubscriptionsDeleted: "0",
      },
    };
  }

  #subscribe(input: Input): Output {
    const given = parsed(SubscribeInput, input);
    const { TopicArn: topicArn, Protocol: protocol, Endpoint: endpoint } = given;
    this.#topics.topic(topicArn);
    const isHttp = protocol === "http" || protocol === "https";
    if (isHttp && !this.#hasNetwork) throw invalid("Endpoint Reason: this cloud does not use the network");
    if (isHttp && !(isLoopbackUrl(endpoint) && endpoint.startsWith(`${protocol}:`)))
      throw invalid("Endpoint Reason: only endpoints on this machine's loopback get messages");
    const others = this.#topics.subscriptionsOf(topicArn);
    const same = others.find((one) => one.protocol === protocol && one.endpoint === endpoint);
    if (same !== undefined) return { SubscriptionArn: same.arn };
    if (others.length >= limits.subscriptionsPerTopicMax)
      throw new ServiceError(
        "SubscriptionLimitExceededException",
        403,
        `The topic has ${limits.subscriptionsPerTopicMax} subscriptions.`,
      );
    const subscription: Subscription = {
      arn: `${topicArn}:${uuid(this.#random)}`,
      topicArn,
      protocol,
      endpoint,
      attributes: attributesOf(given.Attributes),
      ...(isHttp ? { pendingToken: uuid(this.#random).replaceAll("-", "") } : {}),
    };
    this.#topics.set(subscription);
    if (isHttp) this.#delivery.askToConfirm(subscription, uuid(this.#random), this.#clock.now());
    return {
      SubscriptionArn:
        isHttp && input.ReturnSubscriptionArn !== true ? "pending confirmation" : subscription.arn,
    };
  }

  #subscriptionAttributes(arn: string): Output {
    const { topicArn, protocol, endpoint, attributes, pendingToken } = this.#topics.subscription(arn);
    return {
      Attributes: {
        SubscriptionArn: arn,
        TopicArn: topicArn,
        Owner: this.#place.accountId,
        Protocol: protocol,
        Endpoint: endpoint,
        PendingConfirmation: String(pendingToken !== undefined),
        RawMessageDelivery: "false",
        ...attributes,
      },
    };
  }

  #publish(input: Input): Output {
    const topicArn: unknown = input.TopicArn ?? input.TargetArn;
    if (typeof topicArn !== "string")
      throw invalid("TopicArn or TargetArn Reason: no value for required parameter");
    this.#topics.topic(topicArn);
    const given = parsed(MessageInput, input);
    const message: Message = {
      id: uuid(this.#random),
      topicArn,
      subject: given.Subject,
      texts: textsOf(given),
      attributes: given.MessageAttributes,
      at: this.#clock.now(),
    };
    for (const subscription of this.#topics.subscriptionsOf(topicArn))
      if (subscription.pendingToken === undefined && lets(subscription, message))
        this.#delivery.send(subscription, message);
    return { MessageId: message.id };
  }

  /** Each entry stands for itself. */
  #publishBatch(input: Input): Output {
    const { TopicArn } = input;
    this.#topics.topic(TopicArn);
    const entries = parsed(BatchEntries, input.PublishBatchRequestEntries);
    if (entries.length === 0)
      throw new ServiceError("EmptyBatchRequestException", 400, "The batch has no entries.");
    if (entries.length > limits.batchEntriesMax)
      throw new ServiceError(
        "TooManyEntriesInBatchRequestException",
        400,
        `A batch has up to ${limits.batchEntriesMax} entries.`,
      );
    if (new Set(entries.map(({ Id }) => Id)).size !== entries.length)
      throw new ServiceError(
        "BatchEntryIdsNotDistinctException",
        400,
        "Two entries of the batch have one id.",
      );
    const Successful: object[] = [];
    const Failed: object[] = [];
    for (const entry of entries)
      try {
        Successful.push({ Id: entry.Id, ...this.#publish({ ...entry, TopicArn }) });
      } catch (failure) {
        if (!(failure instanceof ServiceError)) throw failure;
        Failed.push({ Id: entry.Id, Code: failure.code, Message: failure.message, SenderFault: true });
      }
    return { Successful, Failed };
  }
}

function lets({ attributes }: Subscription, message: Message): boolean {
  const looksAtBody = attributes.FilterPolicyScope === "MessageBody";
  return filterOf(attributes)(looksAtBody ? jsonOf(message.texts["default"] ?? "") : filterable(message));
}

/** @throws ServiceError for an attribute that is not simulated or whose filter is none. */
function attributesOf(given: unknown): SubscriptionAttributes {
  const attributes = parsed(SubscriptionAttributes, given);
  filterOf(attributes);
  return attributes;
}

function subscriptionPage(all: readonly Subscription[], place: Place, input: Input): Output {
  const { items, NextToken } = page(all, input);
  return {
    Subscriptions: items.map(({ arn, topicArn, protocol, endpoint, pendingToken }) => ({
      SubscriptionArn: pendingToken === undefined ? arn : "PendingConfirmation",
      TopicArn: topicArn,
      Owner: place.accountId,
      Protocol: protocol,
      Endpoint: endpoint,
    })),
    NextToken,
  };
}

function page<Item>(all: readonly Item[], input: Input): ReturnType<typeof pageFrom<Item>> {
  const start = Number(input.NextToken ?? 0);
  if (!Number.isInteger(start) || start < 0) throw invalid("NextToken");
  return pageFrom(all, start, limits.perPage);
}
