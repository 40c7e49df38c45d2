import { Stack, type StackProps } from "aws-cdk-lib/core";
import { CfnNamedQuery, CfnWorkGroup } from "aws-cdk-lib/aws-athena";
import { CfnDatabase, CfnTable } from "aws-cdk-lib/aws-glue";
import { PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnDeliveryStream } from "aws-cdk-lib/aws-kinesisfirehose";
import type { Key } from "aws-cdk-lib/aws-kms";
import { CfnLogGroup, CfnLogStream } from "aws-cdk-lib/aws-logs";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { bucketNames, keptBucket, lifecycles, logBucket } from "./buckets.ts";
import { deliveryLog, deliveryMay } from "./may.ts";
import { savedQueries } from "./saved-queries.ts";
import {
  catalogue,
  dayPartitions,
  delivery,
  deliveryPrefixes,
  type LakeTable,
  lakeTables,
  measurements,
} from "./tables.ts";

/** A question that reads more is one that forgot its day. */
const SCANNED_BYTES_MAX = 10 * 1024 ** 3;

/** What is kept of a region for years: artifacts, measurements, evidence, and how they are asked. */
export class LakeStack extends Stack {
  readonly logs: Bucket;

  constructor(scope: Construct, id: string, props: StackProps & { readonly key: Key }) {
    super(scope, id, props);
    const { key } = props;
    const bucket = bucketNames(this);
    this.logs = logBucket(this, bucket.logs);
    const kept = { key, logs: this.logs };
    keptBucket(this, "Artifacts", {
      ...kept,
      bucketName: bucket.artifacts,
      lifecycleRules: lifecycles.artifacts,
    });
    keptBucket(this, "Lake", {
      ...kept,
      bucketName: bucket.lake,
      lifecycleRules: lifecycles.lake,
      eventBridgeEnabled: true,
    });
    const deliver = this.#deliveryRole(bucket.lake);
    const database = new CfnDatabase(this, "Database", {
      catalogId: this.account,
      databaseInput: { name: catalogue.database, description: "Coalmine's measurements and evidence" },
    });
    for (const table of lakeTables) {
      const listed = this.#catalogued(table, bucket.lake);
      listed.addResourceDependency(database);
      this.#delivered(table, bucket.lake, deliver, key).addResourceDependency(listed);
    }
    this.#workgroup(bucket.lake, key);
  }

  #catalogued(table: LakeTable, lake: string): CfnTable {
    return new CfnTable(this, idOf(table, "Table"), {
      catalogId: this.account,
      databaseName: catalogue.database,
      tableInput: {
        name: table.name,
        description: table.says,
        tableType: "EXTERNAL_TABLE",
        parameters: dayPartitions(lake, table),
        partitionKeys: [{ name: "dt", type: "string" }],
        storageDescriptor: {
          location: `s3://${lake}/${table.name}/`,
          columns: [...table.glueColumns],
          inputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
          outputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
          serdeInfo: {
            serializationLibrary: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            parameters: { "serialization.format": "1" },
          },
        },
      },
    });
  }

  #deliveryRole(lake: string): Role {
    const place = { region: this.region, accountId: this.account, partition: this.partition };
    return new Role(this, "DeliveryRole", {
      description: "Lets Firehose write into the lake",
      assumedBy: new ServicePrincipal("firehose.amazonaws.com", {
        conditions: { StringEquals: { "sts:ExternalId": this.account } },
      }),
      inlinePolicies: {
        deliver: PolicyDocument.fromJson({ Version: "2012-10-17", Statement: deliveryMay(place, lake) }),
      },
    });
  }

  #delivered(table: LakeTable, lake: string, role: Role, key: Key): CfnDeliveryStream {
    const logGroupName = deliveryLog(table);
    const logGroup = new CfnLogGroup(this, idOf(table, "DeliveryLog"), {
      logGroupName,
      retentionInDays: 90,
    });
    const logStream = new CfnLogStream(this, idOf(table, "DeliveryLogStream"), {
      logGroupName,
      logStreamName: "delivery",
    });
    logStream.addResourceDependency(logGroup);
    const { prefix, errors } = deliveryPrefixes(table);
    const stream = new CfnDeliveryStream(this, idOf(table, "Delivery"), {
      deliveryStreamName: table.stream,
      deliveryStreamType: "DirectPut",
      deliveryStreamEncryptionConfigurationInput: { keyType: "CUSTOMER_MANAGED_CMK", keyArn: key.keyArn },
      extendedS3DestinationConfiguration: {
        bucketArn: `arn:${this.partition}:s3:::${lake}`,
        roleArn: role.roleArn,
        prefix,
        errorOutputPrefix: errors,
        bufferingHints: { sizeInMBs: delivery.mebibytes, intervalInSeconds: delivery.seconds },
        encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: key.keyArn } },
        cloudWatchLoggingOptions: { enabled: true, logGroupName, logStreamName: "delivery" },
        dataFormatConversionConfiguration: {
          enabled: true,
          inputFormatConfiguration: { deserializer: { openXJsonSerDe: {} } },
          outputFormatConfiguration: { serializer: { parquetSerDe: { compression: "SNAPPY" } } },
          schemaConfiguration: {
            catalogId: this.account,
            databaseName: catalogue.database,
            tableName: table.name,
            region: this.region,
            roleArn: role.roleArn,
            versionId: "LATEST",
          },
        },
      },
    });
    stream.addResourceDependency(logStream);
    return stream;
  }

  #workgroup(lake: string, key: Key): void {
    const workgroup = new CfnWorkGroup(this, "Workgroup", {
      name: catalogue.workgroup,
      description: "Questions to Coalmine's lake; one that reads too much is stopped",
      recursiveDeleteOption: false,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: SCANNED_BYTES_MAX,
        engineVersion: { selectedEngineVersion: "Athena engine version 3" },
        resultConfiguration: {
          outputLocation: `s3://${lake}/athena-results/`,
          encryptionConfiguration: { encryptionOption: "SSE_KMS", kmsKey: key.keyArn },
        },
      },
    });
    for (const [name, queryString] of Object.entries(savedQueries))
      new CfnNamedQuery(this, `Query ${name}`, {
        name,
        database: catalogue.database,
        workGroup: catalogue.workgroup,
        queryString,
      }).addResourceDependency(workgroup);
  }
}

/** Measurements came first: what is theirs keeps the ids that it had. */
function idOf(table: LakeTable, what: "Table" | "Delivery" | "DeliveryLog" | "DeliveryLogStream"): string {
  if (table === measurements) return what === "Table" ? "Measurements" : what;
  return `${table.name[0]?.toUpperCase() ?? ""}${table.name.slice(1)}${what}`;
}
