import type { Clock, Instant } from "@coalmine/ports";
import * as z from "zod";
import { readInput } from "../read-input.ts";
import { type Input, type Place, type Service, ServiceError } from "../service.ts";
import type { Store, Table as StoreTable } from "../store/store.ts";

/** What a table's columns are called, and their Hive types. */
export interface Column {
  readonly Name: string;
  readonly Type: string;
}
interface Database {
  readonly input: { readonly Name: string };
  readonly createdAt: Instant;
}
interface Table {
  readonly input: z.infer<typeof TableInput>;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** AWS writes names in lower case. */
const Name = z
  .string()
  .min(1)
  .max(255)
  .transform((name) => name.toLowerCase());
const Columns = z.array(z.looseObject({ Name: z.string(), Type: z.string().default("string") })).max(1000);
const TableInput = z.looseObject({
  Name,
  StorageDescriptor: z.looseObject({ Columns: Columns.default([]) }).prefault({}),
});
const DatabaseOnly = z.object({ Name });
const OfDatabase = z.object({ DatabaseName: Name });
const TableOnly = OfDatabase.extend({ Name });
const WithInput = OfDatabase.extend({ TableInput });

/** Ours; AWS allows 200,000 tables to a database. */
const TABLES_MAX = 10_000;

/** The Glue Data Catalog as far as Firehose asks it: databases, and tables with their columns. */
export class GlueService implements Service {
  readonly signingName = "glue";
  readonly operations: Service["operations"];
  readonly #databases: StoreTable<Database>;
  readonly #tables: StoreTable<Table>;
  readonly #clock: Clock;
  readonly #place: Place;

  constructor(options: { readonly store: Store; readonly clock: Clock; readonly place: Place }) {
    this.#databases = options.store.table("glue/databases");
    this.#tables = options.store.table("glue/tables");
    this.#clock = options.clock;
    this.#place = options.place;
    this.operations = {
      CreateDatabase: (input) =>
        this.#createDatabase(read(z.object({ DatabaseInput: z.looseObject({ Name }) }), input)),
      GetDatabase: (input) => {
        const { Name: name } = read(DatabaseOnly, input);
        const { input: given, createdAt } = this.#database(name);
        return { Database: { ...given, CreateTime: createdAt, CatalogId: this.#place.accountId } };
      },
      CreateTable: (input) => this.#createTable(read(WithInput, input)),
      UpdateTable: (input) => {
        const { DatabaseName, TableInput: given } = read(WithInput, input);
        const former = this.#table(DatabaseName, given.Name);
        const changed = { input: given, version: former.version + 1, updatedAt: this.#clock.now() };
        this.#tables.set(keyOf(DatabaseName, given.Name), { ...former, ...changed });
        return {};
      },
      GetTable: (input) => {
        const { DatabaseName, Name: name } = read(TableOnly, input);
        return { Table: this.#told(DatabaseName, this.#table(DatabaseName, name)) };
      },
      DeleteTable: (input) => {
        const { DatabaseName, Name: name } = read(TableOnly, input);
        this.#table(DatabaseName, name);
        this.#tables.delete(keyOf(DatabaseName, name));
        return {};
      },
    };
  }

  /** For services of the same cloud; undefined where there is no such table. */
  columnsOf(databaseName: string, tableName: string): readonly Column[] | undefined {
    const table = this.#tables.get(keyOf(databaseName.toLowerCase(), tableName.toLowerCase()));
    return table?.input.StorageDescriptor.Columns;
  }

  #createDatabase({ DatabaseInput }: { DatabaseInput: { Name: string } }): object {
    if (this.#databases.get(DatabaseInput.Name) !== undefined)
      throw new ServiceError("AlreadyExistsException", 400, "Database already exists.");
    this.#databases.set(DatabaseInput.Name, { input: DatabaseInput, createdAt: this.#clock.now() });
    return {};
  }

  #createTable({ DatabaseName, TableInput: input }: z.infer<typeof WithInput>): object {
    this.#database(DatabaseName);
    const key = keyOf(DatabaseName, input.Name);
    if (this.#tables.get(key) !== undefined)
      throw new ServiceError("AlreadyExistsException", 400, "Table already exists.");
    if (this.#tables.size >= TABLES_MAX)
      throw new ServiceError("ResourceNumberLimitExceededException", 400, `There are ${TABLES_MAX} tables.`);
    const now = this.#clock.now();
    this.#tables.set(key, { input, version: 0, createdAt: now, updatedAt: now });
    return {};
  }

  #told(DatabaseName: string, { input, version, createdAt, updatedAt }: Table): object {
    return {
      ...input,
      DatabaseName,
      CatalogId: this.#place.accountId,
      CreateTime: createdAt,
      UpdateTime: updatedAt,
      VersionId: String(version),
    };
  }

  #database(name: string): Database {
    const database = this.#databases.get(name);
    if (database === undefined) throw notFound(`Database ${name} not found.`);
    return database;
  }

  #table(databaseName: string, name: string): Table {
    this.#database(databaseName);
    const table = this.#tables.get(keyOf(databaseName, name));
    if (table === undefined) throw notFound(`Table ${name} not found.`);
    return table;
  }
}

function keyOf(databaseName: string, tableName: string): string {
  return `${databaseName}\n${tableName}`;
}

function read<Schema extends z.ZodType>(schema: Schema, input: Input): z.infer<Schema> {
  return readInput(
    schema,
    input,
    (member, why) => new ServiceError("InvalidInputException", 400, `${member}: ${why}`),
  );
}

function notFound(message: string): ServiceError {
  return new ServiceError("EntityNotFoundException", 400, message);
}
