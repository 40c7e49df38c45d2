import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib/core";
import { HttpMethod } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  HeadersFrameOption,
  HttpVersion,
  OriginRequestPolicy,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from "aws-cdk-lib/aws-cloudfront";
import { type UserPool, UserPoolDomain } from "aws-cdk-lib/aws-cognito";
import { HttpOrigin, S3BucketOrigin } from "aws-cdk-lib/aws-cloudfront-origins";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { BACK } from "../../api/http/sign-in/provider-door.ts";
import type { Target } from "../../pipeline/target.ts";
import { CoalmineFunction } from "../functions/coalmine-function.ts";
import { openHttpApi } from "../functions/http-api.ts";
import { OPERATORS_FUNCTION } from "../handlers/operators/operators.ts";
import type { Settings } from "../handlers/operators/settings.ts";
import { signedInTo } from "../identity/user-pool.ts";
import { asBucket } from "../lake/buckets.ts";
import { operatorsMay } from "../rollout/may.ts";

/** Requests a second, from everywhere together. */
const RATE_MAX = 50;

export interface ConsoleStackProps extends StackProps {
  readonly code: string;
  readonly targets: readonly Target[];
  readonly people: UserPool;
  /** Where the pipeline puts the console's files. */
  readonly siteBucket: string;
  readonly domain: string;
  readonly certificateArn: string;
  readonly webAclArn: string;
}

/** The operators' console: its files and their API under one name, and who may do what. */
export class ConsoleStack extends Stack {
  constructor(scope: Construct, id: string, props: ConsoleStackProps) {
    super(scope, id, props);
    const { code, targets, people, siteBucket, domain, certificateArn, webAclArn } = props;
    const { region: home, account: accountId, partition } = this;
    const origin = `https://${domain}`;
    const { client, issuer } = signedInTo(this, people, { back: `${origin}${BACK}`, out: `${origin}/` });
    // The name is among all the region's.
    const signIn = new UserPoolDomain(this, "SignIn", {
      userPool: people,
      cognitoDomain: { domainPrefix: `coalmine-${accountId}` },
    });
    const settings: Settings = {
      COALMINE_ACCOUNT: accountId,
      COALMINE_ORIGIN: origin,
      COALMINE_ISSUER: issuer,
      COALMINE_CLIENT_ID: client.userPoolClientId,
      COALMINE_AUTHORIZE_URL: `${signIn.baseUrl()}/oauth2/authorize`,
      COALMINE_TOKEN_URL: `${signIn.baseUrl()}/oauth2/token`,
      COALMINE_REVOKE_URL: `${signIn.baseUrl()}/oauth2/revoke`,
      COALMINE_LOGOUT_URL: `${signIn.baseUrl()}/logout`,
    };
    const { function: operators } = new CoalmineFunction(this, "Operators", {
      functionName: OPERATORS_FUNCTION,
      description: "The operators' API",
      code,
      program: "operators",
      handler: "operators",
      timeoutSeconds: 29,
      environment: { COALMINE_TARGETS: JSON.stringify(targets), ...settings },
      may: operatorsMay({ partition, accountId, home, targets }),
    });
    const { api } = openHttpApi(this, "Api", { ratePerSecondMax: RATE_MAX });
    // The function verifies each session itself: a cookie is nothing that an authorizer reads.
    api.addRoutes({
      path: "/api/{proxy+}",
      methods: [HttpMethod.ANY],
      integration: new HttpLambdaIntegration("Operators", operators),
    });

    const logs = this.#bucket("SiteLogs", { objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED });
    const site = this.#bucket("Site", {
      bucketName: siteBucket,
      serverAccessLogsBucket: asBucket(logs),
      serverAccessLogsPrefix: "site/",
    });
    const headers = new ResponseHeadersPolicy(this, "Headers", {
      securityHeadersBehavior: {
        contentSecurityPolicy: {
          contentSecurityPolicy: "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
          override: true,
        },
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        strictTransportSecurity: {
          accessControlMaxAge: Duration.days(365),
          includeSubdomains: true,
          override: true,
        },
      },
    });
    const shared = {
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      responseHeadersPolicy: headers,
    };
    const distribution = new Distribution(this, "Distribution", {
      comment: "Coalmine's console",
      domainNames: [domain],
      certificate: Certificate.fromCertificateArn(this, "Certificate", certificateArn),
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      httpVersion: HttpVersion.HTTP2_AND_3,
      webAclId: webAclArn,
      defaultRootObject: "index.html",
      defaultBehavior: {
        ...shared,
        // It keeps what may be kept, and asks for the page again each time: nothing has to be invalidated.
        cachePolicy: CachePolicy.CACHING_OPTIMIZED,
        origin: S3BucketOrigin.withOriginAccessControl(asBucket(site)),
        compress: true,
      },
      additionalBehaviors: {
        "/api/*": {
          ...shared,
          origin: new HttpOrigin(`${api.apiId}.execute-api.${home}.amazonaws.com`),
          allowedMethods: AllowedMethods.ALLOW_ALL,
          cachePolicy: CachePolicy.CACHING_DISABLED,
          originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        },
      },
      enableLogging: true,
      logBucket: asBucket(logs),
      logFilePrefix: "cdn/",
    });
    new CfnOutput(this, "SiteBucket", { value: site.bucketName });
    new CfnOutput(this, "SiteName", { value: distribution.distributionDomainName });
  }

  #bucket(id: string, props: ConstructorParameters<typeof Bucket>[2]): Bucket {
    return new Bucket(this, id, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      lifecycleRules: [{ id: "former-versions", noncurrentVersionExpiration: Duration.days(90) }],
      removalPolicy: RemovalPolicy.RETAIN,
      ...props,
    });
  }
}
