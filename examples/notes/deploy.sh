#!/usr/bin/env bash
# Deploys the notes application with plain AWS CLI commands. Run it again to update the code.
#   ENDPOINT=http://127.0.0.1:4566 examples/notes/deploy.sh
# Prints the address of the page as its last line.
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

echo "table"
if ! aws dynamodb describe-table --table-name notes > /dev/null 2>&1; then
  aws dynamodb create-table --table-name notes --billing-mode PAY_PER_REQUEST \
    --attribute-definitions AttributeName=book,AttributeType=S AttributeName=id,AttributeType=S \
    --key-schema AttributeName=book,KeyType=HASH AttributeName=id,KeyType=RANGE > /dev/null
  aws dynamodb wait table-exists --table-name notes
fi

echo "role"
if ! aws iam get-role --role-name notes > /dev/null 2>&1; then
  aws iam create-role --role-name notes --assume-role-policy-document '{"Version": "2012-10-17", "Statement":
    [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}' > /dev/null
fi
aws iam attach-role-policy --role-name notes \
  --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
aws iam put-role-policy --role-name notes --policy-name table --policy-document "{\"Version\": \"2012-10-17\", \"Statement\":
  [{\"Effect\": \"Allow\", \"Action\": [\"dynamodb:Query\", \"dynamodb:GetItem\", \"dynamodb:PutItem\", \"dynamodb:DeleteItem\"],
    \"Resource\": \"arn:aws:dynamodb:$AWS_DEFAULT_REGION:$account:table/notes\"}]}"

# function NAME FOLDER RUNTIME HANDLER: creates it or updates its code
function_() {
  (cd "$2" && zip -q -X -r "$work/$1.zip" .)
  if aws lambda get-function --function-name "$1" > /dev/null 2>&1; then
    aws lambda update-function-code --function-name "$1" --zip-file "fileb://$work/$1.zip" > /dev/null
    aws lambda wait function-updated --function-name "$1"
  else
    aws lambda create-function --function-name "$1" --runtime "$3" --handler "$4" \
      --role "arn:aws:iam::$account:role/notes" --environment "Variables={TABLE=notes}" \
      --timeout 10 --memory-size 256 --zip-file "fileb://$work/$1.zip" > /dev/null
    aws lambda wait function-active-v2 --function-name "$1"
  fi
}
echo "functions"
function_ notes-api notes_function python3.12 app.handler
function_ notes-page page_function nodejs20.x index.handler

echo "HTTP API"
api=$(aws apigatewayv2 get-apis --query "Items[?Name=='notes'].ApiId | [0]")
if [ "$api" = None ]; then
  api=$(aws apigatewayv2 create-api --name notes --protocol-type HTTP --query ApiId)
  integration() {  # integration FUNCTION: prints its id
    aws lambda add-permission --function-name "$1" --statement-id http-api --action lambda:InvokeFunction \
      --principal apigateway.amazonaws.com \
      --source-arn "arn:aws:execute-api:$AWS_DEFAULT_REGION:$account:$api/*" > /dev/null
    aws apigatewayv2 create-integration --api-id "$api" --integration-type AWS_PROXY \
      --payload-format-version 2.0 --query IntegrationId \
      --integration-uri "arn:aws:lambda:$AWS_DEFAULT_REGION:$account:function:$1"
  }
  notes=$(integration notes-api)
  page=$(integration notes-page)
  for route in "GET /notes" "POST /notes" "GET /notes/{id}" "DELETE /notes/{id}"; do
    aws apigatewayv2 create-route --api-id "$api" --route-key "$route" --target "integrations/$notes" > /dev/null
  done
  for route in "GET /" "GET /stats"; do
    aws apigatewayv2 create-route --api-id "$api" --route-key "$route" --target "integrations/$page" > /dev/null
  done
  aws apigatewayv2 create-stage --api-id "$api" --stage-name '$default' --auto-deploy > /dev/null
fi

echo "$ENDPOINT/_aws/execute-api/$api/\$default/"
