import { Fleet, Fleets } from "@coalmine/contract/operator-api";

export const fleetAnswers = {
  "fleet-list": Fleets.shape.fleets,
  "fleet-show": Fleet,
} as const;
