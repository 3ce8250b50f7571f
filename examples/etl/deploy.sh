#!/usr/bin/env bash
# Deploys the CSV loader with plain AWS CLI commands. Run it again to update the code.
#   ENDPOINT=http://127.0.0.1:4566 examples/etl/deploy.sh
# Then: aws s3 cp sales.csv s3://etl-inbox-ACCOUNT/in/   (columns: customer,amount)
# Prints the two buckets' names as its last line.
set -euo pipefail
cd "$(dirname "$0")"
ENDPOINT="${ENDPOINT:-http://127.0.0.1:4566}"
export AWS_ACCESS_KEY_ID="${AWS_ACCESS_KEY_ID:-test}"
export AWS_SECRET_ACCESS_KEY="${AWS_SECRET_ACCESS_KEY:-test}"
export AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-us-east-1}"
export AWS_PAGER=""
aws() { command aws --endpoint-url "$ENDPOINT" --output text "$@"; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

account=$(aws sts get-caller-identity --query Account)
inbox="etl-inbox-$account"
reports="etl-reports-$account"

echo "buckets"
for bucket in "$inbox" "$reports"; do
  aws s3api head-bucket --bucket "$bucket" > /dev/null 2>&1 || aws s3 mb "s3://$bucket" > /dev/null
done

echo "table"
if ! aws dynamodb describe-table --table-name etl > /dev/null 2>&1; then
  aws dynamodb create-table --table-name etl --billing-mode PAY_PER_REQUEST \
    --attribute-definitions AttributeName=file,AttributeType=S AttributeName=line,AttributeType=N \
    --key-schema AttributeName=file,KeyType=HASH AttributeName=line,KeyType=RANGE > /dev/null
  aws dynamodb wait table-exists --table-name etl
fi

echo "role"
if ! aws iam get-role --role-name etl > /dev/null 2>&1; then
  aws iam create-role --role-name etl --assume-role-policy-document '{"Version": "2012-10-17", "Statement":
    [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}' > /dev/null
fi
aws iam attach-role-policy --role-name etl \
  --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
aws iam put-role-policy --role-name etl --policy-name data --policy-document "{\"Version\": \"2012-10-17\", \"Statement\": [
  {\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"arn:aws:s3:::$inbox/in/*\"},
  {\"Effect\": \"Allow\", \"Action\": \"s3:PutObject\", \"Resource\": \"arn:aws:s3:::$reports/summaries/*\"},
  {\"Effect\": \"Allow\", \"Action\": \"dynamodb:BatchWriteItem\",
   \"Resource\": \"arn:aws:dynamodb:$AWS_DEFAULT_REGION:$account:table/etl\"}]}"

echo "function"
(cd etl_function && zip -q -X -r "$work/etl.zip" .)
if aws lambda get-function --function-name etl > /dev/null 2>&1; then
  aws lambda update-function-code --function-name etl --zip-file "fileb://$work/etl.zip" > /dev/null
  aws lambda wait function-updated --function-name etl
else
  aws lambda create-function --function-name etl --runtime python3.12 --handler app.handler \
    --role "arn:aws:iam::$account:role/etl" --environment "Variables={TABLE=etl,REPORTS=$reports}" \
    --timeout 60 --memory-size 256 --zip-file "fileb://$work/etl.zip" > /dev/null
  aws lambda wait function-active-v2 --function-name etl
  aws lambda add-permission --function-name etl --statement-id inbox --action lambda:InvokeFunction \
    --principal s3.amazonaws.com --source-arn "arn:aws:s3:::$inbox" --source-account "$account" > /dev/null
fi

echo "notification"
aws s3api put-bucket-notification-configuration --bucket "$inbox" --notification-configuration "{
  \"LambdaFunctionConfigurations\": [{\"Id\": \"csv\", \"Events\": [\"s3:ObjectCreated:*\"],
    \"LambdaFunctionArn\": \"arn:aws:lambda:$AWS_DEFAULT_REGION:$account:function:etl\",
    \"Filter\": {\"Key\": {\"FilterRules\": [{\"Name\": \"prefix\", \"Value\": \"in/\"}, {\"Name\": \"suffix\", \"Value\": \".csv\"}]}}}]}"

echo "$inbox $reports"
