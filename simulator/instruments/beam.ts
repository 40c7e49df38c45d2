/**
 * Free vibration of a beam on two supports (Euler and Bernoulli), in SI units: EI bending stiffness (N·m²), m mass per
 * length (kg/m), L span (m), x place along it (m).
 *
 * | what | equation |
 * | --- | --- |
 * | frequency of mode n | f = (n²π/2)·√(EI/(m·L⁴)) |
 * | its shape | φ = sin(nπx/L) |
 * | a share d of EI lost between a and b | f′/f = √(1 − d·(2/L)·∫ₐᵇ sin²(nπx/L) dx), by Rayleigh's quotient with the whole beam's shape |
 *
 * The quotient is an upper bound of the frequency, and of first order exact: within 1 % of it while d times the damaged
 * length's share is below 0.03. Shear and rotary inertia are left out, which is right for slender spans.
 * @see Rao, Mechanical Vibrations, section 8.5; Cawley and Adams, J. Strain Analysis 14 (1979) 49
 */
export interface Beam {
  readonly bendingStiffness: number;
  readonly massPerMetre: number;
  readonly spanMetres: number;
}

export interface Damage {
  readonly fromMetres: number;
  readonly toMetres: number;
  /** 0 … below 1, of the bending stiffness there. */
  readonly lostShare: number;
}

/** In Hz; `mode` counts from 1. */
export function naturalFrequency(
  { bendingStiffness, massPerMetre, spanMetres }: Beam,
  mode: number,
  damage?: Damage,
): number {
  const whole = ((mode ** 2 * Math.PI) / 2) * Math.sqrt(bendingStiffness / (massPerMetre * spanMetres ** 4));
  if (damage === undefined) return whole;
  const share =
    bendingShare(spanMetres, mode, damage.toMetres) - bendingShare(spanMetres, mode, damage.fromMetres);
  return whole * Math.sqrt(1 - damage.lostShare * share);
}

export function modeShape({ spanMetres }: Beam, mode: number, atMetres: number): number {
  return Math.sin((mode * Math.PI * atMetres) / spanMetres);
}

/** Which share of a mode's bending energy lies left of `atMetres`: (2/L)·∫₀ˣ sin²(nπx/L) dx. */
function bendingShare(spanMetres: number, mode: number, atMetres: number): number {
  const u = atMetres / spanMetres;
  return u - Math.sin(2 * mode * Math.PI * u) / (2 * mode * Math.PI);
}
