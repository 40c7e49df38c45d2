import type {
  Clock,
  CloudLogs,
  Ipc,
  Link,
  Links,
  Model,
  Models,
  Objects,
  Streams,
  Subscription,
} from "@coalmine/ports";
import type { Life } from "./life.ts";

/** The ports of one life: each answers until it is over. Files are `living-files.ts`'s matter. */

export function livingClock(clock: Clock, life: Life): Clock {
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (durationMs, signal) => life.answer(clock.sleep(durationMs, signal)),
    timer: (delayMs, fire) => clock.timer(delayMs, life.hears(fire)),
  };
}

export function livingIpc(ipc: Ipc, life: Life): Ipc {
  const held = (opening: Promise<Subscription>): Promise<Subscription> => life.answer(holding(opening, life));
  return {
    publish: (topic, message) => life.answer(ipc.publish(topic, message)),
    subscribe: (filter, receive, options) => held(ipc.subscribe(filter, life.hears(receive), options)),
    publishToIotCore: (topic, qos, payload) => life.answer(ipc.publishToIotCore(topic, qos, payload)),
    subscribeToIotCore: (filter, qos, receive) =>
      held(ipc.subscribeToIotCore(filter, qos, life.hears(receive))),
    getConfiguration: (keyPath, componentName) => life.answer(ipc.getConfiguration(keyPath, componentName)),
    updateConfiguration: (keyPath, value) => life.answer(ipc.updateConfiguration(keyPath, value)),
    subscribeToConfigurationUpdate: (keyPath, changed) =>
      held(ipc.subscribeToConfigurationUpdate(keyPath, life.hears(changed))),
    subscribeToValidateConfigurationUpdates: (validate) =>
      held(
        ipc.subscribeToValidateConfigurationUpdates((configuration) =>
          life.answer(Promise.resolve(validate(configuration))),
        ),
      ),
    subscribeToComponentUpdates: ({ before, after }) =>
      held(
        ipc.subscribeToComponentUpdates({
          before: () => life.answer(Promise.resolve(before())),
          after: life.hears(after),
        }),
      ),
    updateState: (state) => life.answer(ipc.updateState(state)),
    getSecretValue: (secretId) => life.answer(ipc.getSecretValue(secretId)),
    getThingShadow: (thing, shadow) => life.answer(ipc.getThingShadow(thing, shadow)),
    updateThingShadow: (thing, shadow, payload) => life.answer(ipc.updateThingShadow(thing, shadow, payload)),
  };
}

/** A subscription that ends with the life, also when the life ended before it was granted. */
async function holding(opening: Promise<Subscription>, life: Life): Promise<Subscription> {
  const subscription = await opening;
  const forget = life.onEnd(() => void subscription.close());
  return {
    close: () => {
      forget();
      return life.answer(subscription.close());
    },
  };
}

export function livingLinks(links: Links, life: Life): Links {
  return {
    list: () => life.answer(links.list()),
    watch: (changed) => {
      const watch = links.watch(life.hears(changed));
      const forget = life.onEnd(() => watch.close());
      return {
        close: () => {
          forget();
          watch.close();
        },
      };
    },
    open: (target) => life.answer(links.open(target).then((link) => livingLink(link, life))),
  };
}

function livingLink(link: Link, life: Life): Link {
  const forget = life.onEnd(() => void link.close());
  return {
    write: (bytes) => life.answer(link.write(bytes)),
    onData: (receive) => link.onData(life.hears(receive)),
    onClose: (closed) => link.onClose(life.hears(closed)),
    close: () => {
      forget();
      return life.answer(link.close());
    },
  };
}

export function livingModels(models: Models, life: Life): Models {
  const living = (model: Model): Model => ({
    inputNames: model.inputNames,
    outputNames: model.outputNames,
    run: (feeds) => life.answer(model.run(feeds)),
    close: () => life.answer(model.close()),
  });
  return {
    open: (folder, sha256, options) => life.answer(models.open(folder, sha256, options).then(living)),
    prove: (folder, sha256, feeds, msMax) => life.answer(models.prove(folder, sha256, feeds, msMax)),
    readText: (folder, name) => life.answer(models.readText(folder, name)),
    copyToWork: (folder, workFolder) => life.answer(models.copyToWork(folder, workFolder)),
  };
}

interface AwsPorts {
  readonly objects: Objects;
  readonly cloudLogs: CloudLogs;
  readonly streams: Streams;
}

export function livingAws({ objects, cloudLogs, streams }: AwsPorts, life: Life): AwsPorts {
  return {
    objects: livingObjects(objects, life),
    cloudLogs: livingCloudLogs(cloudLogs, life),
    streams: { put: (target, records) => life.answer(streams.put(target, records)) },
  };
}

export function livingObjects(objects: Objects, life: Life): Objects {
  return { put: (request) => life.answer(objects.put(request)) };
}

export function livingCloudLogs(cloudLogs: CloudLogs, life: Life): CloudLogs {
  return {
    createLogGroup: (group, settings) => life.answer(cloudLogs.createLogGroup(group, settings)),
    putRetentionPolicy: (group, days) => life.answer(cloudLogs.putRetentionPolicy(group, days)),
    createLogStream: (group, stream) => life.answer(cloudLogs.createLogStream(group, stream)),
    putLogEvents: (group, stream, events) => life.answer(cloudLogs.putLogEvents(group, stream, events)),
  };
}
