#include "platform/managed_policies.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/check.h"
#include "base/hashing.h"
#include "base/json.h"
#include "base/strings.h"

// What the policies grant, after the AWS Managed Policy Reference Guide.
// DIFFERS: the action lists name the services that Virga has or plans; every document is version
// v1.
namespace virga::platform {
namespace {

// `statements`: separated by '|'. Each is "ACTION ACTION… @ RESOURCE RESOURCE…"; '~' in front means
// NotAction, " ? {…}" behind is the Condition.
struct Fact {
  std::string_view path;
  std::string_view name;
  std::string_view statements;
};

constexpr Fact kFacts[] = {
    {"/", "AWSCloudFormationFullAccess", "cloudformation:* @ *"},
    {"/", "AWSCloudFormationReadOnlyAccess",
     "cloudformation:Describe* cloudformation:EstimateTemplateCost cloudformation:Get* "
     "cloudformation:List* "
     "cloudformation:ValidateTemplate cloudformation:Detect* @ *"},
    {"/", "AWSKeyManagementServicePowerUser",
     "kms:CreateAlias kms:CreateKey kms:DeleteAlias kms:Describe* kms:GenerateRandom kms:Get* "
     "kms:List* kms:TagResource "
     "kms:UntagResource iam:ListGroups iam:ListRoles iam:ListUsers @ *"},
    {"/", "AWSLambdaExecute",
     "logs:* @ arn:aws:logs:*:*:*|s3:GetObject s3:PutObject @ arn:aws:s3:::*"},
    {"/", "AWSLambdaInvocation-DynamoDB",
     "lambda:InvokeFunction @ *|dynamodb:DescribeStream dynamodb:GetRecords "
     "dynamodb:GetShardIterator dynamodb:ListStreams @ *"},
    {"/", "AWSLambda_FullAccess",
     "cloudformation:DescribeStacks cloudformation:ListStackResources cloudwatch:ListMetrics "
     "cloudwatch:GetMetricData "
     "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs kms:ListAliases "
     "iam:GetPolicy iam:GetPolicyVersion iam:GetRole "
     "iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies iam:ListRoles lambda:* "
     "logs:DescribeLogGroups "
     "states:DescribeStateMachine states:ListStateMachines tag:GetResources xray:GetTraceSummaries "
     "xray:BatchGetTraces @ *|"
     "iam:PassRole @ * ? {\"StringEquals\":{\"iam:PassedToService\":\"lambda.amazonaws.com\"}}|"
     "logs:DescribeLogStreams logs:GetLogEvents logs:FilterLogEvents @ "
     "arn:aws:logs:*:*:log-group:/aws/lambda/*"},
    {"/", "AWSLambda_ReadOnlyAccess",
     "cloudformation:DescribeStacks cloudformation:ListStackResources cloudwatch:GetMetricData "
     "cloudwatch:ListMetrics "
     "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs kms:ListAliases "
     "iam:GetPolicy iam:GetPolicyVersion iam:GetRole "
     "iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies iam:ListRoles "
     "logs:DescribeLogGroups lambda:Get* "
     "lambda:List* states:DescribeStateMachine states:ListStateMachines tag:GetResources "
     "xray:GetTraceSummaries "
     "xray:BatchGetTraces @ *|logs:DescribeLogStreams logs:GetLogEvents logs:FilterLogEvents @ "
     "arn:aws:logs:*:*:log-group:/aws/lambda/*"},
    {"/", "AWSStepFunctionsFullAccess", "states:* @ *"},
    {"/", "AWSStepFunctionsReadOnlyAccess",
     "states:ListStateMachines states:ListActivities states:DescribeStateMachine "
     "states:DescribeStateMachineForExecution "
     "states:ListExecutions states:DescribeExecution states:GetExecutionHistory "
     "states:DescribeActivity states:ListMapRuns "
     "states:DescribeMapRun states:ListStateMachineAliases states:ListStateMachineVersions "
     "states:DescribeStateMachineAlias "
     "states:ListTagsForResource states:ValidateStateMachineDefinition @ *"},
    {"/", "AWSXRayDaemonWriteAccess",
     "xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets "
     "xray:GetSamplingStatisticSummaries @ *"},
    {"/", "AWSXrayReadOnlyAccess",
     "xray:GetSamplingRules xray:GetSamplingTargets xray:GetSamplingStatisticSummaries "
     "xray:BatchGetTraces xray:BatchGetTraceSummaryById "
     "xray:GetDistinctTraceGraphs xray:GetServiceGraph xray:GetTraceGraph xray:GetTraceSummaries "
     "xray:GetGroups xray:GetGroup "
     "xray:ListTagsForResource xray:ListResourcePolicies xray:GetTimeSeriesServiceStatistics "
     "xray:GetInsightSummaries xray:GetInsight "
     "xray:GetInsightEvents xray:GetInsightImpactGraph @ *"},
    {"/", "AWSXrayWriteOnlyAccess",
     "xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets "
     "xray:GetSamplingStatisticSummaries @ *"},
    {"/", "AdministratorAccess", "* @ *"},
    {"/", "AmazonAPIGatewayAdministrator", "apigateway:* @ arn:aws:apigateway:*::/*"},
    {"/", "AmazonAPIGatewayInvokeFullAccess",
     "execute-api:Invoke execute-api:ManageConnections @ arn:aws:execute-api:*:*:*"},
    {"/", "AmazonCognitoPowerUser",
     "cognito-identity:* cognito-idp:* cognito-sync:* iam:ListRoles iam:ListOpenIdConnectProviders "
     "iam:GetRole "
     "iam:ListSAMLProviders iam:GetSAMLProvider sns:ListPlatformApplications @ *"},
    {"/", "AmazonDynamoDBFullAccess",
     "dynamodb:* dax:* application-autoscaling:DeleteScalingPolicy "
     "application-autoscaling:DeregisterScalableTarget "
     "application-autoscaling:DescribeScalableTargets "
     "application-autoscaling:DescribeScalingActivities "
     "application-autoscaling:DescribeScalingPolicies application-autoscaling:PutScalingPolicy "
     "application-autoscaling:RegisterScalableTarget cloudwatch:DeleteAlarms "
     "cloudwatch:DescribeAlarmHistory "
     "cloudwatch:DescribeAlarms cloudwatch:DescribeAlarmsForMetric cloudwatch:GetMetricStatistics "
     "cloudwatch:ListMetrics "
     "cloudwatch:PutMetricAlarm cloudwatch:GetMetricData iam:GetRole iam:ListRoles kms:DescribeKey "
     "kms:ListAliases sns:CreateTopic "
     "sns:DeleteTopic sns:ListSubscriptions sns:ListSubscriptionsByTopic sns:ListTopics "
     "sns:Subscribe sns:Unsubscribe "
     "sns:SetTopicAttributes lambda:CreateFunction lambda:ListFunctions "
     "lambda:ListEventSourceMappings "
     "lambda:CreateEventSourceMapping lambda:DeleteEventSourceMapping "
     "lambda:GetFunctionConfiguration lambda:DeleteFunction "
     "resource-groups:ListGroups resource-groups:ListGroupResources resource-groups:GetGroup "
     "resource-groups:GetGroupQuery "
     "resource-groups:DeleteGroup resource-groups:CreateGroup tag:GetResources kinesis:ListStreams "
     "kinesis:DescribeStream "
     "kinesis:DescribeStreamSummary @ *|cloudwatch:GetInsightRuleReport @ "
     "arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsights*|iam:PassRole @ * ? "
     "{\"StringLike\":{\"iam:PassedToService\":[\"application-autoscaling.amazonaws.com\","
     "\"application-autoscaling.amazonaws.com.cn\",\"dax.amazonaws.com\"]}}"},
    {"/", "AmazonDynamoDBFullAccess_v2",
     "dynamodb:* dax:* application-autoscaling:* cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms "
     "cloudwatch:GetMetricStatistics "
     "cloudwatch:ListMetrics cloudwatch:PutMetricAlarm cloudwatch:GetMetricData iam:GetRole "
     "iam:ListRoles kms:DescribeKey "
     "kms:ListAliases kinesis:ListStreams kinesis:DescribeStream kinesis:DescribeStreamSummary "
     "tag:GetResources @ *"},
    {"/", "AmazonDynamoDBReadOnlyAccess",
     "application-autoscaling:DescribeScalableTargets "
     "application-autoscaling:DescribeScalingActivities "
     "application-autoscaling:DescribeScalingPolicies cloudwatch:DescribeAlarmHistory "
     "cloudwatch:DescribeAlarms "
     "cloudwatch:DescribeAlarmsForMetric cloudwatch:GetMetricStatistics cloudwatch:ListMetrics "
     "cloudwatch:GetMetricData "
     "dynamodb:BatchGetItem dynamodb:Describe* dynamodb:List* dynamodb:GetAbacStatus "
     "dynamodb:GetItem dynamodb:GetResourcePolicy "
     "dynamodb:Query dynamodb:Scan dynamodb:PartiQLSelect dax:Describe* dax:List* dax:GetItem "
     "dax:BatchGetItem dax:Query dax:Scan "
     "iam:GetRole iam:ListRoles kms:DescribeKey kms:ListAliases sns:ListSubscriptionsByTopic "
     "sns:ListTopics lambda:ListFunctions "
     "lambda:ListEventSourceMappings lambda:GetFunctionConfiguration resource-groups:ListGroups "
     "resource-groups:ListGroupResources "
     "resource-groups:GetGroup resource-groups:GetGroupQuery tag:GetResources kinesis:ListStreams "
     "kinesis:DescribeStream "
     "kinesis:DescribeStreamSummary @ *"},
    {"/", "AmazonEC2ContainerRegistryFullAccess",
     "ecr:* cloudtrail:LookupEvents @ *|iam:CreateServiceLinkedRole @ * ? "
     "{\"StringEquals\":{\"iam:AWSServiceName\":[\"replication.ecr.amazonaws.com\"]}}"},
    {"/", "AmazonEC2ContainerRegistryPowerUser",
     "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer "
     "ecr:GetRepositoryPolicy "
     "ecr:DescribeRepositories ecr:ListImages ecr:DescribeImages ecr:BatchGetImage "
     "ecr:GetLifecyclePolicy "
     "ecr:GetLifecyclePolicyPreview ecr:ListTagsForResource ecr:DescribeImageScanFindings "
     "ecr:InitiateLayerUpload "
     "ecr:UploadLayerPart ecr:CompleteLayerUpload ecr:PutImage @ *"},
    {"/", "AmazonEC2ContainerRegistryReadOnly",
     "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer "
     "ecr:GetRepositoryPolicy "
     "ecr:DescribeRepositories ecr:ListImages ecr:DescribeImages ecr:BatchGetImage "
     "ecr:GetLifecyclePolicy "
     "ecr:GetLifecyclePolicyPreview ecr:ListTagsForResource ecr:DescribeImageScanFindings @ *"},
    {"/", "AmazonEC2FullAccess",
     "ec2:* elasticloadbalancing:* cloudwatch:* autoscaling:* @ *|iam:CreateServiceLinkedRole @ * "
     "? "
     "{\"StringEquals\":{\"iam:AWSServiceName\":[\"autoscaling.amazonaws.com\",\"ec2scheduled."
     "amazonaws.com\","
     "\"elasticloadbalancing.amazonaws.com\",\"spot.amazonaws.com\",\"spotfleet.amazonaws.com\","
     "\"transitgateway.amazonaws.com\"]}}"},
    {"/", "AmazonEC2ReadOnlyAccess",
     "ec2:Describe* ec2:GetSecurityGroupsForVpc elasticloadbalancing:Describe* "
     "cloudwatch:ListMetrics cloudwatch:GetMetricStatistics "
     "cloudwatch:Describe* autoscaling:Describe* @ *"},
    {"/", "AmazonEventBridgeFullAccess",
     "events:* schemas:* scheduler:* pipes:* @ *|iam:CreateServiceLinkedRole @ "
     "arn:aws:iam::*:role/aws-service-role/* ? "
     "{\"StringEquals\":{\"iam:AWSServiceName\":[\"apidestinations.events.amazonaws.com\","
     "\"schemas.amazonaws.com\"]}}|"
     "iam:PassRole @ arn:aws:iam::*:role/* ? "
     "{\"StringLike\":{\"iam:PassedToService\":[\"events.amazonaws.com\","
     "\"scheduler.amazonaws.com\",\"pipes.amazonaws.com\"]}}"},
    {"/", "AmazonEventBridgeReadOnlyAccess",
     "events:DescribeRule events:DescribeEventBus events:DescribeEventSource events:ListEventBuses "
     "events:ListEventSources "
     "events:ListRuleNamesByTarget events:ListRules events:ListTargetsByRule "
     "events:TestEventPattern events:DescribeArchive "
     "events:ListArchives events:DescribeReplay events:ListReplays events:DescribeConnection "
     "events:ListConnections "
     "events:DescribeApiDestination events:ListApiDestinations events:DescribeEndpoint "
     "events:ListEndpoints schemas:Describe* "
     "schemas:List* schemas:Search* schemas:Get* scheduler:Get* scheduler:List* pipes:DescribePipe "
     "pipes:ListPipes "
     "pipes:ListTagsForResource @ *"},
    {"/", "AmazonEventBridgeSchedulerFullAccess",
     "scheduler:* @ *|iam:PassRole @ arn:aws:iam::*:role/* ? "
     "{\"StringLike\":{\"iam:PassedToService\":\"scheduler.amazonaws.com\"}}"},
    {"/", "AmazonKinesisFullAccess", "kinesis:* @ *"},
    {"/", "AmazonKinesisReadOnlyAccess", "kinesis:Get* kinesis:List* kinesis:Describe* @ *"},
    {"/", "AmazonRoute53FullAccess",
     "route53:* route53domains:* cloudfront:ListDistributions "
     "elasticloadbalancing:DescribeLoadBalancers "
     "elasticbeanstalk:DescribeEnvironments s3:ListAllMyBuckets s3:GetBucketLocation "
     "s3:GetBucketWebsite ec2:DescribeVpcs "
     "ec2:DescribeVpcEndpoints ec2:DescribeRegions sns:ListTopics sns:ListSubscriptionsByTopic "
     "cloudwatch:DescribeAlarms "
     "cloudwatch:GetMetricStatistics @ *|apigateway:GET @ arn:aws:apigateway:*::/domainnames"},
    {"/", "AmazonRoute53ReadOnlyAccess", "route53:Get* route53:List* route53:TestDNSAnswer @ *"},
    {"/", "AmazonS3FullAccess", "s3:* s3-object-lambda:* @ *"},
    {"/", "AmazonS3ReadOnlyAccess",
     "s3:Get* s3:List* s3:Describe* s3-object-lambda:Get* s3-object-lambda:List* @ *"},
    {"/", "AmazonSESFullAccess", "ses:* @ *"},
    {"/", "AmazonSNSFullAccess", "sns:* @ *"},
    {"/", "AmazonSNSReadOnlyAccess",
     "sns:GetTopicAttributes sns:List* sns:CheckIfPhoneNumberIsOptedOut sns:GetEndpointAttributes "
     "sns:GetDataProtectionPolicy "
     "sns:GetPlatformApplicationAttributes sns:GetSMSAttributes sns:GetSMSSandboxAccountStatus "
     "sns:GetSubscriptionAttributes @ *"},
    {"/", "AmazonSQSFullAccess", "sqs:* @ *"},
    {"/", "AmazonSQSReadOnlyAccess",
     "sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ListDeadLetterSourceQueues sqs:ListQueues "
     "sqs:ListMessageMoveTasks "
     "sqs:ListQueueTags @ *"},
    {"/", "AmazonSSMFullAccess",
     "cloudwatch:PutMetricData ds:CreateComputer ds:DescribeDirectories ec2:DescribeInstanceStatus "
     "logs:* ssm:* ec2messages:* @ *|"
     "ssmmessages:CreateControlChannel ssmmessages:CreateDataChannel "
     "ssmmessages:OpenControlChannel ssmmessages:OpenDataChannel @ *"},
    {"/", "AmazonSSMManagedInstanceCore",
     "ssm:DescribeAssociation ssm:GetDeployablePatchSnapshotForInstance ssm:GetDocument "
     "ssm:DescribeDocument ssm:GetManifest "
     "ssm:GetParameter ssm:GetParameters ssm:ListAssociations ssm:ListInstanceAssociations "
     "ssm:PutInventory ssm:PutComplianceItems "
     "ssm:PutConfigurePackageResult ssm:UpdateAssociationStatus "
     "ssm:UpdateInstanceAssociationStatus ssm:UpdateInstanceInformation @ *|"
     "ssmmessages:CreateControlChannel ssmmessages:CreateDataChannel "
     "ssmmessages:OpenControlChannel ssmmessages:OpenDataChannel @ *|"
     "ec2messages:AcknowledgeMessage ec2messages:DeleteMessage ec2messages:FailMessage "
     "ec2messages:GetEndpoint "
     "ec2messages:GetMessages ec2messages:SendReply @ *"},
    {"/", "AmazonSSMReadOnlyAccess", "ssm:Describe* ssm:Get* ssm:List* @ *"},
    {"/", "CloudWatchAgentServerPolicy",
     "cloudwatch:PutMetricData ec2:DescribeVolumes ec2:DescribeTags logs:PutLogEvents "
     "logs:PutRetentionPolicy "
     "logs:DescribeLogStreams logs:DescribeLogGroups logs:CreateLogStream logs:CreateLogGroup "
     "xray:PutTraceSegments "
     "xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets "
     "xray:GetSamplingStatisticSummaries @ *|"
     "ssm:GetParameter @ arn:aws:ssm:*:*:parameter/AmazonCloudWatch-*"},
    {"/", "CloudWatchEventsFullAccess", "events:* schemas:* scheduler:* pipes:* @ *"},
    {"/", "CloudWatchFullAccess",
     "autoscaling:Describe* cloudwatch:* logs:* sns:* iam:GetPolicy iam:GetPolicyVersion "
     "iam:GetRole oam:ListSinks @ *"},
    {"/", "CloudWatchFullAccessV2",
     "application-autoscaling:DescribeScalingPolicies autoscaling:DescribeAutoScalingGroups "
     "autoscaling:DescribePolicies cloudwatch:* "
     "logs:* sns:CreateTopic sns:ListSubscriptions sns:ListSubscriptionsByTopic sns:ListTopics "
     "sns:Subscribe iam:GetPolicy "
     "iam:GetPolicyVersion iam:GetRole oam:ListSinks rum:* synthetics:* xray:* @ *"},
    {"/", "CloudWatchLambdaInsightsExecutionRolePolicy",
     "logs:CreateLogGroup @ *|logs:CreateLogStream logs:PutLogEvents @ "
     "arn:aws:logs:*:*:log-group:/aws/lambda-insights:*"},
    {"/", "CloudWatchLogsFullAccess", "logs:* cloudwatch:GenerateQuery @ *"},
    {"/", "CloudWatchLogsReadOnlyAccess",
     "logs:Describe* logs:Get* logs:List* logs:StartQuery logs:StopQuery logs:TestMetricFilter "
     "logs:FilterLogEvents "
     "logs:StartLiveTail logs:StopLiveTail cloudwatch:GenerateQuery @ *"},
    {"/", "CloudWatchReadOnlyAccess",
     "application-autoscaling:DescribeScalingPolicies autoscaling:Describe* cloudwatch:BatchGet* "
     "cloudwatch:Describe* "
     "cloudwatch:GenerateQuery cloudwatch:Get* cloudwatch:List* logs:Get* logs:List* "
     "logs:StartQuery logs:StopQuery logs:Describe* "
     "logs:TestMetricFilter logs:FilterLogEvents logs:StartLiveTail logs:StopLiveTail "
     "oam:ListSinks sns:Get* sns:List* rum:BatchGet* "
     "rum:Get* rum:List* synthetics:Describe* synthetics:Get* synthetics:List* xray:BatchGet* "
     "xray:Get* xray:List* @ *"},
    {"/", "IAMFullAccess",
     "iam:* organizations:DescribeAccount organizations:DescribeOrganization "
     "organizations:DescribeOrganizationalUnit "
     "organizations:DescribePolicy organizations:ListChildren organizations:ListParents "
     "organizations:ListPoliciesForTarget "
     "organizations:ListRoots organizations:ListPolicies organizations:ListTargetsForPolicy @ *"},
    {"/", "IAMReadOnlyAccess",
     "iam:GenerateCredentialReport iam:GenerateServiceLastAccessedDetails iam:Get* iam:List* "
     "iam:SimulateCustomPolicy "
     "iam:SimulatePrincipalPolicy @ *"},
    {"/", "IAMUserChangePassword",
     "iam:ChangePassword @ arn:aws:iam::*:user/${aws:username}|iam:GetAccountPasswordPolicy @ *"},
    {"/", "PowerUserAccess",
     "~iam:* organizations:* account:* @ *|account:GetAccountInformation account:GetPrimaryEmail "
     "account:ListRegions "
     "iam:CreateServiceLinkedRole iam:DeleteServiceLinkedRole iam:ListRoles "
     "organizations:DescribeEffectivePolicy "
     "organizations:DescribeOrganization @ *"},
    {"/", "ReadOnlyAccess",
     "apigateway:GET application-autoscaling:Describe* autoscaling:Describe* "
     "cloudformation:Describe* cloudformation:Detect* "
     "cloudformation:Estimate* cloudformation:Get* cloudformation:List* "
     "cloudformation:ValidateTemplate cloudfront:Describe* "
     "cloudfront:Get* cloudfront:List* cloudtrail:Describe* cloudtrail:Get* cloudtrail:List* "
     "cloudtrail:LookupEvents "
     "cloudwatch:Describe* cloudwatch:Get* cloudwatch:List* cognito-identity:Describe* "
     "cognito-identity:Get* cognito-identity:List* "
     "cognito-idp:Describe* cognito-idp:Get* cognito-idp:List* dynamodb:BatchGet* "
     "dynamodb:Describe* dynamodb:Get* dynamodb:List* "
     "dynamodb:PartiQLSelect dynamodb:Query dynamodb:Scan ec2:Describe* ec2:Get* ecr:BatchCheck* "
     "ecr:BatchGet* ecr:Describe* ecr:Get* "
     "ecr:List* ecs:Describe* ecs:List* elasticloadbalancing:Describe* events:Describe* "
     "events:List* events:Test* iam:Generate* "
     "iam:Get* iam:List* iam:Simulate* kinesis:Describe* kinesis:Get* kinesis:List* kms:Describe* "
     "kms:Get* kms:List* lambda:Get* "
     "lambda:List* logs:Describe* logs:FilterLogEvents logs:Get* logs:ListTagsForResource "
     "logs:ListTagsLogGroup logs:StartQuery "
     "logs:StopQuery logs:TestMetricFilter pipes:DescribePipe pipes:ListPipes "
     "pipes:ListTagsForResource route53:Get* route53:List* "
     "route53:Test* s3:DescribeJob s3:Get* s3:List* scheduler:Get* scheduler:List* "
     "schemas:Describe* schemas:Get* schemas:List* "
     "secretsmanager:Describe* secretsmanager:GetResourcePolicy secretsmanager:List* sns:Check* "
     "sns:Get* sns:List* sqs:Get* sqs:List* "
     "sqs:Receive* ssm:Describe* ssm:Get* ssm:List* states:Describe* states:GetExecutionHistory "
     "states:List* sts:GetAccessKeyInfo "
     "sts:GetCallerIdentity sts:GetSessionToken tag:Get* xray:BatchGet* xray:Get* @ *"},
    {"/", "SecretsManagerReadWrite",
     "secretsmanager:* cloudformation:CreateChangeSet cloudformation:DescribeChangeSet "
     "cloudformation:DescribeStackResource "
     "cloudformation:DescribeStacks cloudformation:ExecuteChangeSet ec2:DescribeSecurityGroups "
     "ec2:DescribeSubnets ec2:DescribeVpcs "
     "kms:DescribeKey kms:ListAliases kms:ListKeys lambda:ListFunctions rds:DescribeDBClusters "
     "rds:DescribeDBInstances "
     "tag:GetResources @ *|lambda:AddPermission lambda:CreateFunction lambda:GetFunction "
     "lambda:InvokeFunction "
     "lambda:UpdateFunctionConfiguration @ "
     "arn:aws:lambda:*:*:function:SecretsManager*|s3:GetObject @ "
     "arn:aws:s3:::awsserverlessrepo-changesets* arn:aws:s3:::secrets-manager-rotation-apps-*/*"},
    {"/job-function/", "ViewOnlyAccess",
     "autoscaling:Describe* cloudformation:ListStacks cloudformation:DescribeStacks "
     "cloudwatch:Describe* cloudwatch:List* "
     "cloudwatch:GetMetricData dynamodb:DescribeTable dynamodb:List* ec2:Describe* "
     "ecr:DescribeRepositories ecs:Describe* ecs:List* "
     "elasticloadbalancing:DescribeLoadBalancers events:List* iam:GetAccountSummary "
     "iam:GetLoginProfile iam:List* kinesis:List* "
     "kms:ListAliases kms:ListKeys lambda:List* logs:Describe* route53:List* s3:ListAllMyBuckets "
     "s3:ListBucket secretsmanager:List* "
     "sns:List* sqs:ListQueues ssm:Describe* ssm:List* states:List* @ *"},
    {"/service-role/", "AWSAppSyncPushToCloudWatchLogs",
     "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents @ *"},
    {"/service-role/", "AWSLambdaBasicExecutionRole",
     "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents @ *"},
    {"/service-role/", "AWSLambdaDynamoDBExecutionRole",
     "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams "
     "logs:CreateLogGroup "
     "logs:CreateLogStream logs:PutLogEvents @ *"},
    {"/service-role/", "AWSLambdaENIManagementAccess",
     "ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DeleteNetworkInterface "
     "ec2:AssignPrivateIpAddresses "
     "ec2:UnassignPrivateIpAddresses ec2:DescribeSubnets @ *"},
    {"/service-role/", "AWSLambdaKinesisExecutionRole",
     "kinesis:DescribeStream kinesis:DescribeStreamSummary kinesis:GetRecords "
     "kinesis:GetShardIterator kinesis:ListShards "
     "kinesis:ListStreams kinesis:SubscribeToShard logs:CreateLogGroup logs:CreateLogStream "
     "logs:PutLogEvents @ *"},
    {"/service-role/", "AWSLambdaMSKExecutionRole",
     "kafka:DescribeCluster kafka:DescribeClusterV2 kafka:GetBootstrapBrokers "
     "ec2:CreateNetworkInterface "
     "ec2:DescribeNetworkInterfaces ec2:DescribeVpcs ec2:DeleteNetworkInterface "
     "ec2:DescribeSubnets ec2:DescribeSecurityGroups "
     "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents @ *"},
    {"/service-role/", "AWSLambdaRole", "lambda:InvokeFunction @ *"},
    {"/service-role/", "AWSLambdaSQSQueueExecutionRole",
     "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes logs:CreateLogGroup "
     "logs:CreateLogStream logs:PutLogEvents @ *"},
    {"/service-role/", "AWSLambdaVPCAccessExecutionRole",
     "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents ec2:CreateNetworkInterface "
     "ec2:DescribeNetworkInterfaces "
     "ec2:DescribeSubnets ec2:DeleteNetworkInterface ec2:AssignPrivateIpAddresses "
     "ec2:UnassignPrivateIpAddresses @ *"},
    {"/service-role/", "AmazonAPIGatewayPushToCloudWatchLogs",
     "logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogGroups logs:DescribeLogStreams "
     "logs:PutLogEvents logs:GetLogEvents "
     "logs:FilterLogEvents @ *"},
    {"/service-role/", "AmazonECSTaskExecutionRolePolicy",
     "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer "
     "ecr:BatchGetImage logs:CreateLogStream "
     "logs:PutLogEvents @ *"},
    {"/service-role/", "AmazonS3ObjectLambdaExecutionRolePolicy",
     "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents "
     "s3-object-lambda:WriteGetObjectResponse @ *"},
};

void add_words(Document& list, std::string_view words) {
  for (const std::string_view w : split(words, ' ')) {
    if (!w.empty()) list.push(Document(w));
  }
}

// One word stands alone, several make a list: as AWS writes its own documents.
Document one_or_list(std::string_view words) {
  Document list = Document::array();
  add_words(list, words);
  if (list.as_array().size() == 1) return list.as_array().front();
  return list;
}

Document statement_of(std::string_view text) {
  Document s = Document::object();
  s.set("Effect", "Allow");
  const size_t question = text.find(" ? ");
  const size_t at = text.find(" @ ");
  CHECK(at != std::string_view::npos);
  const bool inverse = text.starts_with("~");
  s.set(inverse ? "NotAction" : "Action",
        one_or_list(text.substr(inverse ? 1 : 0, at - (inverse ? 1 : 0))));
  s.set("Resource",
        one_or_list(text.substr(
            at + 3, question == std::string_view::npos ? question : question - at - 3)));
  if (question != std::string_view::npos) {
    auto condition = parse_json(text.substr(question + 3));
    CHECK(condition);
    s.set("Condition", std::move(*condition));
  }
  return s;
}

// The same in every start: "ANPA" and 17 characters of IAM's alphabet, from the name.
std::string policy_id(std::string_view name) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const Sha256 digest = sha256(name);
  std::string id = "ANPA";
  for (size_t i = 0; i < 17; ++i) id += kAlphabet[digest[i] % kAlphabet.size()];
  return id;
}

std::vector<ManagedPolicy> make_all() {
  std::vector<ManagedPolicy> all;
  for (const Fact& f : kFacts) {
    Document document = Document::object();
    document.set("Version", "2012-10-17");
    Document statements = Document::array();
    for (const std::string_view s : split(f.statements, '|')) statements.push(statement_of(s));
    document.set("Statement", std::move(statements));
    std::string text = to_json(document);
    auto compiled = PolicyDocument::parse(text, PolicyKind::identity);
    CHECK(compiled);
    all.push_back({std::string(f.name), std::string(f.path), policy_id(f.name), std::move(text),
                   std::move(*compiled)});
  }
  std::sort(all.begin(), all.end(),
            [](const ManagedPolicy& a, const ManagedPolicy& b) { return a.name < b.name; });
  return all;
}

const std::vector<ManagedPolicy>& all_policies() {
  static const std::vector<ManagedPolicy> all = make_all();
  return all;
}

}  // namespace

std::string ManagedPolicy::arn(std::string_view partition) const {
  return "arn:" + std::string(partition) + ":iam::aws:policy" + path + name;
}

std::span<const ManagedPolicy> managed_policies() {
  return all_policies();
}

const ManagedPolicy* find_managed_policy(std::string_view arn) {
  constexpr std::string_view kMiddle = ":iam::aws:policy/";
  const size_t at = arn.find(kMiddle);
  if (!arn.starts_with("arn:") || at == std::string_view::npos) return nullptr;
  const std::string_view rest = arn.substr(at + kMiddle.size() - 1);  // "/service-role/Name"
  const std::string_view name = rest.substr(rest.rfind('/') + 1);
  const auto& all = all_policies();
  const auto it =
      std::lower_bound(all.begin(), all.end(), name,
                       [](const ManagedPolicy& p, std::string_view n) { return p.name < n; });
  if (it == all.end() || it->name != name) return nullptr;
  return rest == it->path + it->name ? &*it : nullptr;
}

}  // namespace virga::platform
