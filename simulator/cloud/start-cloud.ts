import { join } from "node:path";
import type { Clock, Log, Random } from "@coalmine/ports";
import { Closing } from "@coalmine/runtime";
import { openHttpApi } from "./api-gateway/http-api.ts";
import { Cloud } from "./cloud.ts";
import { ControlDoor } from "./control/control-door.ts";
import { underFaults } from "./control/device-faults.ts";
import { addFaultCommands, addJumpCommand } from "./control/fault-commands.ts";
import { JumpingClock } from "./control/jumping-clock.ts";
import { byService } from "./device-door/by-service.ts";
import { DeviceDoor } from "./device-door/device-door.ts";
import { type CloudFunctions, Functions } from "./functions.ts";
import { dataPlaneCall, dataPlaneHandler } from "./greengrass/data-plane.ts";
import { openIotParts, type LocalIot } from "./iot-parts.ts";
import { listen } from "./protocol/http-server.ts";
import type { Service } from "./service.ts";
import type { CloudBase } from "./cloud.ts";
import { openVault } from "./secretsmanager/vault.ts";
import { postToLoopback } from "./sns/http-endpoint.ts";
import { openDiskStore } from "./store/disk-store.ts";

export interface StartOptions {
  readonly folder: string;
  readonly region: string;
  readonly accountId: string;
  readonly host: string;
  readonly port: number;
  readonly allowRemote: boolean;
  readonly devicePorts: {
    readonly mqtt: number;
    readonly alpn: number;
    readonly dataPlane: number;
    readonly credentials: number;
  };
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly controlToken: string;
  readonly clock: Clock;
  readonly wallClock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly functions?: CloudFunctions;
  /** The function behind an HTTP API for whoever has no AWS credentials; without it there is none. */
  readonly httpApi?: { readonly functionName: string; readonly port: number };
  readonly more?: (base: CloudBase) => readonly Service[];
}

export interface StartedCloud {
  readonly cloud: Cloud<LocalIot>;
  readonly control: ControlDoor;
  readonly endpoint: string;
  readonly ports: { readonly http: number; readonly httpApi?: number } & DeviceDoor["ports"];
  close(): Promise<void>;
}

/** A whole cloud on the network of this machine: AWS's door, the devices' doors, the control API, state on disk. */
export async function startCloud(options: StartOptions): Promise<StartedCloud> {
  const closing = new Closing();
  try {
    const { wallClock, random, log } = options;
    const store = await openDiskStore({ folder: options.folder, log });
    closing.add(store, () => store.close());
    const iot = await openIotParts({ random, wallClock, folder: join(options.folder, "authority") });
    const vault = await openVault(options.folder);
    const clock = new JumpingClock(options.clock);
    const cloud = new Cloud({
      ...options,
      clock,
      place: options,
      store,
      iot,
      vault,
      postToEndpoint: postToLoopback,
    });
    closing.add(cloud, () => cloud.stop());
    const control = new ControlDoor(options.controlToken);
    addFaultCommands(control, cloud);
    addJumpCommand(control, (durationMs) => clock.jump(durationMs));
    const listening = await listen(
      (request) => (control.owns(request) ? control.handle(request) : cloud.handle(request)),
      options,
    );
    closing.add(listening, () => listening.close());
    cloud.servesAt(listening.endpoint);
    const { authority, broker, credentials } = cloud.iot;
    const { faults } = cloud;
    const doors = await DeviceDoor.open({
      broker,
      iot: cloud.iot.iot,
      server: authority.serverCertificate(),
      wallClock,
      log,
      faults,
      dataPlane: byService(
        (service, request, device) => cloud.handleDevice(service, request, device),
        underFaults(
          faults,
          "greengrass",
          (request) => dataPlaneCall(request)?.operation ?? "",
          dataPlaneHandler(cloud.dataPlane),
        ),
      ),
      credentials: underFaults(faults, "credentials", () => "AssumeRoleWithCertificate", credentials.handle),
      ports: options.devicePorts,
    });
    closing.add(doors, () => doors.close());
    cloud.iot.announce({
      data: `localhost:${doors.ports.mqtt}`,
      credentials: `localhost:${doors.ports.credentials}`,
    });
    const { functions = {}, httpApi: asked } = options;
    const httpApi =
      asked === undefined
        ? undefined
        : await openHttpApi({
            server: authority.serverCertificate(),
            port: asked.port,
            call: (event) => new Functions(functions, clock).call(asked.functionName, event),
            clock: wallClock,
            log,
          });
    if (httpApi !== undefined) closing.add(httpApi, () => httpApi.close());
    return {
      cloud,
      control,
      endpoint: listening.endpoint,
      ports: {
        http: listening.port,
        ...doors.ports,
        ...(httpApi === undefined ? {} : { httpApi: httpApi.port }),
      },
      close: () => closing.close(),
    };
  } catch (failure) {
    await closing.close();
    throw failure;
  }
}
