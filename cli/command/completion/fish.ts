import type { Place } from "./places.ts";

export function fish(places: readonly Place[]): string {
  const known = places.slice(1).map(({ path }) => `"${path}"`);
  return `# fish completion of coalmine, made by \`coalmine completion fish\`
function __coalmine_at
  set -l place coalmine
  for word in (commandline -opc)[2..]
    if contains -- "$place $word" ${known.join(" ")}
      set place "$place $word"
    end
  end
  test "$place" = "$argv[1]"
end
${places.flatMap(linesOf).join("\n")}`;
}

function linesOf({ path, verbs, values, options, optionValues }: Place): string[] {
  const at = `complete -c coalmine -n '__coalmine_at "${path}"'`;
  return [
    ...verbs.map(({ word, what }) => `${at} -f -a ${word} -d '${what}'`),
    ...values.map((word) => `${at} -f -a ${word}`),
    ...options.map(({ word, what }) => {
      const taken = optionValues[word];
      const value = taken === undefined ? "" : taken.length === 0 ? " -r" : ` -x -a '${taken.join(" ")}'`;
      return `${at} -l ${word.replace(/^--/, "")}${value} -d '${what}'`;
    }),
  ];
}
