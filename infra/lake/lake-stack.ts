import { Stack, type StackProps } from "aws-cdk-lib/core";
import { CfnNamedQuery, CfnWorkGroup } from "aws-cdk-lib/aws-athena";
import { CfnDatabase, CfnTable } from "aws-cdk-lib/aws-glue";
import { PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnDeliveryStream } from "aws-cdk-lib/aws-kinesisfirehose";
import type { Key } from "aws-cdk-lib/aws-kms";
import { CfnLogGroup, CfnLogStream } from "aws-cdk-lib/aws-logs";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { names } from "../identity/identity.ts";
import { bucketNames, keptBucket, lifecycles, logBucket } from "./buckets.ts";
import { deliveryMay, FIREHOSE_LOG } from "./may.ts";
import { catalogue, dayPartitions, glueColumns, savedQueries } from "./measurements.ts";

/** A question that reads more is one that forgot its day. */
const SCANNED_BYTES_MAX = 10 * 1024 ** 3;
/** Firehose makes Parquet of no less than 64 MiB or 15 minutes. */
const PARQUET_MIB = 64;
const PARQUET_SECONDS = 900;

/** What is kept of a region for years: artifacts, measurements, and how they are asked. */
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
    const table = this.#catalogue(bucket.lake);
    this.#delivery(bucket.lake, key).addResourceDependency(table);
    this.#workgroup(bucket.lake, key);
  }

  #catalogue(lake: string): CfnTable {
    const database = new CfnDatabase(this, "Database", {
      catalogId: this.account,
      databaseInput: { name: catalogue.database, description: "Coalmine's measurements" },
    });
    const table = new CfnTable(this, "Measurements", {
      catalogId: this.account,
      databaseName: catalogue.database,
      tableInput: {
        name: catalogue.table,
        description: "Every point, as packages/contract says it",
        tableType: "EXTERNAL_TABLE",
        parameters: dayPartitions(lake),
        partitionKeys: [{ name: "dt", type: "string" }],
        storageDescriptor: {
          location: `s3://${lake}/measurements/`,
          columns: glueColumns,
          inputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
          outputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
          serdeInfo: {
            serializationLibrary: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            parameters: { "serialization.format": "1" },
          },
        },
      },
    });
    table.addResourceDependency(database);
    return table;
  }

  #delivery(lake: string, key: Key): CfnDeliveryStream {
    const place = { region: this.region, accountId: this.account, partition: this.partition };
    const logGroup = new CfnLogGroup(this, "DeliveryLog", {
      logGroupName: FIREHOSE_LOG,
      retentionInDays: 90,
    });
    const logStream = new CfnLogStream(this, "DeliveryLogStream", {
      logGroupName: FIREHOSE_LOG,
      logStreamName: "delivery",
    });
    logStream.addResourceDependency(logGroup);
    const role = new Role(this, "DeliveryRole", {
      description: "Lets Firehose write measurements into the lake",
      assumedBy: new ServicePrincipal("firehose.amazonaws.com", {
        conditions: { StringEquals: { "sts:ExternalId": this.account } },
      }),
      inlinePolicies: {
        deliver: PolicyDocument.fromJson({ Version: "2012-10-17", Statement: deliveryMay(place, lake) }),
      },
    });
    const stream = new CfnDeliveryStream(this, "Delivery", {
      deliveryStreamName: names.measurementStream,
      deliveryStreamType: "DirectPut",
      deliveryStreamEncryptionConfigurationInput: { keyType: "CUSTOMER_MANAGED_CMK", keyArn: key.keyArn },
      extendedS3DestinationConfiguration: {
        bucketArn: `arn:${this.partition}:s3:::${lake}`,
        roleArn: role.roleArn,
        prefix: "measurements/dt=!{timestamp:yyyy-MM-dd}/firehose/",
        errorOutputPrefix: "firehose-errors/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/",
        bufferingHints: { sizeInMBs: PARQUET_MIB, intervalInSeconds: PARQUET_SECONDS },
        encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: key.keyArn } },
        cloudWatchLoggingOptions: { enabled: true, logGroupName: FIREHOSE_LOG, logStreamName: "delivery" },
        dataFormatConversionConfiguration: {
          enabled: true,
          inputFormatConfiguration: { deserializer: { openXJsonSerDe: {} } },
          outputFormatConfiguration: { serializer: { parquetSerDe: { compression: "SNAPPY" } } },
          schemaConfiguration: {
            catalogId: this.account,
            databaseName: catalogue.database,
            tableName: catalogue.table,
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
      description: "Questions to Coalmine's measurements; one that reads too much is stopped",
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
