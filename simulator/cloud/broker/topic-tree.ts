interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  readonly values: Map<unknown, Value>;
}

/** Values under topic filters, found by topic. One value for each filter and key. */
export class TopicTree<Value> {
  readonly #root: Node<Value> = node();

  set(filter: string, key: unknown, value: Value): void {
    let at = this.#root;
    for (const level of filter.split("/")) {
      const next = at.children.get(level) ?? node<Value>();
      at.children.set(level, next);
      at = next;
    }
    at.values.set(key, value);
  }

  get(filter: string, key: unknown): Value | undefined {
    let at: Node<Value> | undefined = this.#root;
    for (const level of filter.split("/")) at = at?.children.get(level);
    return at?.values.get(key);
  }

  delete(filter: string, key: unknown): void {
    const path: { parent: Node<Value>; level: string; child: Node<Value> }[] = [];
    let at = this.#root;
    for (const level of filter.split("/")) {
      const child = at.children.get(level);
      if (child === undefined) return;
      path.push({ parent: at, level, child });
      at = child;
    }
    at.values.delete(key);
    // What nobody uses any more goes, so that filters that come and go leave nothing behind.
    for (const { parent, level, child } of path.reverse()) {
      if (child.values.size > 0 || child.children.size > 0) return;
      parent.children.delete(level);
    }
  }

  /** In no stated order. A wildcard at the first level does not match a topic that begins with `$` [MQTT-4.7.2-1]. */
  match(topic: string): Value[] {
    const found: Value[] = [];
    collect(this.#root, topic.split("/"), 0, topic.startsWith("$"), found);
    return found;
  }
}

function collect<Value>(
  at: Node<Value>,
  levels: readonly string[],
  depth: number,
  reserved: boolean,
  found: Value[],
): void {
  const wild = !(reserved && depth === 0);
  const rest = wild ? at.children.get("#") : undefined;
  if (rest !== undefined) found.push(...rest.values.values());
  if (depth === levels.length) {
    found.push(...at.values.values());
    return;
  }
  const exact = at.children.get(levels[depth] ?? "");
  if (exact !== undefined) collect(exact, levels, depth + 1, reserved, found);
  const any = wild ? at.children.get("+") : undefined;
  if (any !== undefined) collect(any, levels, depth + 1, reserved, found);
}

function node<Value>(): Node<Value> {
  return { children: new Map(), values: new Map() };
}
