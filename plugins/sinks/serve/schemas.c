/* SPDX-License-Identifier: Apache-2.0 */
/* schemas.c: the named JSON Schemas of /openapi.json.  Those of requests come from the tables that
 * read them (fields.c). */
#include "config.h"

#include <flowrun/json.h>

#include "ask.h"

#define TEXT "{\"type\":\"string\"}"
#define WHOLE "{\"type\":\"integer\"}"
#define USAGE "\"usage\":{\"type\":\"object\"}"
#define HEAD                                                                                       \
  "\"id\":" TEXT ",\"object\":" TEXT ",\"created\":" WHOLE ",\"model\":" TEXT                      \
  ",\"system_fingerprint\":" TEXT
#define MODEL                                                                                      \
  "{\"type\":\"object\",\"required\":[\"id\",\"object\",\"created\",\"owned_by\"],"                \
  "\"properties\":{\"id\":" TEXT ",\"object\":{\"const\":\"model\"},\"created\":" WHOLE            \
  ",\"owned_by\":" TEXT ",\"root\":" TEXT ",\"revision\":" TEXT                                    \
  ",\"default\":{\"type\":\"boolean\"},\"max_model_len\":" WHOLE "}}"

static const struct
{
  const char *name, *schema;
} written[] = {
  { "ChatAnswer",
    "{\"type\":\"object\",\"required\":[\"id\",\"object\",\"created\",\"model\",\"choices\"],"
    "\"properties\":{" HEAD "," USAGE
    ",\"choices\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"index\","
    "\"message\",\"finish_reason\"],\"properties\":{\"index\":" WHOLE
    ",\"message\":{\"type\":\"object\",\"properties\":{\"role\":{\"const\":\"assistant\"},"
    "\"content\":" TEXT ",\"reasoning_content\":" TEXT
    "}},\"finish_reason\":{\"enum\":[\"stop\",\"length\"]},\"logprobs\":{\"type\":[\"object\","
    "\"null\"]}}}}}}" },
  { "CompletionAnswer",
    "{\"type\":\"object\",\"required\":[\"id\",\"object\",\"created\",\"model\",\"choices\"],"
    "\"properties\":{" HEAD "," USAGE
    ",\"choices\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"index\","
    "\"text\",\"finish_reason\"],\"properties\":{\"index\":" WHOLE ",\"text\":" TEXT
    ",\"finish_reason\":{\"enum\":[\"stop\",\"length\"]},\"logprobs\":{\"type\":[\"object\","
    "\"null\"]}}}}}}" },
  { "Model", MODEL },
  { "Models",
    "{\"type\":\"object\",\"required\":[\"object\",\"data\"],\"properties\":{\"object\":{\"const\":"
    "\"list\"},\"data\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/"
    "Model\"}}}}" },
  { "GenerateAnswer",
    "{\"type\":\"object\",\"required\":[\"id\",\"output\",\"variants\"],\"properties\":{" HEAD
    "," USAGE ",\"output\":" TEXT ",\"reasoning\":" TEXT
    ",\"finish_reason\":{\"enum\":[\"stop\",\"length\"]},\"variants\":{\"type\":\"array\","
    "\"items\":{\"type\":\"object\"}}}}" },
  { "Format",
    "{\"type\":\"object\",\"required\":[\"template\",\"fields\"],\"properties\":{\"template\":{"
    "\"type\":[\"string\",\"null\"]},\"fields\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"required\":[\"name\",\"required\"],\"properties\":{\"name\":" TEXT ",\"label\":" TEXT
    ",\"default\":" TEXT ",\"example\":" TEXT
    ",\"required\":{\"type\":\"boolean\"},\"multiline\":{\"type\":\"boolean\"}}}},"
    "\"system\":{\"type\":\"boolean\"},\"feedback\":{\"type\":\"boolean\"},"
    "\"limits\":{\"type\":\"object\"},\"defaults\":{\"type\":\"object\"}}}" },
  { "Invocation",
    "{\"anyOf\":[{\"$ref\":\"#/components/schemas/ChatRequest\"},{\"$ref\":"
    "\"#/components/schemas/CompletionRequest\"},{\"$ref\":"
    "\"#/components/schemas/GenerateRequest\"},{\"type\":\"object\",\"required\":[\"inputs\"],"
    "\"additionalProperties\":false,\"properties\":{\"inputs\":{\"anyOf\":[" TEXT
    ",{\"type\":\"array\",\"items\":" TEXT
    "}]},\"parameters\":{\"type\":\"object\"},\"stream\":{\"type\":\"boolean\"},\"model\":" TEXT
    "}}]}" },
  { "InferRequest",
    "{\"type\":\"object\",\"required\":[\"inputs\"],\"properties\":{\"id\":" TEXT
    ",\"parameters\":{\"type\":\"object\"},\"inputs\":{\"type\":\"array\",\"minItems\":1,"
    "\"maxItems\":1,\"items\":{\"type\":\"object\",\"required\":[\"datatype\",\"data\"],"
    "\"properties\":{\"name\":" TEXT
    ",\"datatype\":{\"const\":\"BYTES\"},\"shape\":{\"type\":\"array\",\"items\":" WHOLE
    "},\"data\":{\"type\":\"array\",\"items\":" TEXT "}}}}}}" },
  { "InferAnswer", "{\"type\":\"object\",\"required\":[\"model_name\",\"outputs\"],\"properties\":{"
                   "\"model_name\":" TEXT ",\"model_version\":" TEXT ",\"id\":" TEXT
                   ",\"outputs\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}" },
  { "TritonRequest",
    "{\"type\":\"object\",\"required\":[\"text_input\"],\"properties\":{\"text_input\":" TEXT
    ",\"parameters\":{\"type\":\"object\"}}}" },
  { "TritonAnswer",
    "{\"type\":\"object\",\"required\":[\"model_name\",\"text_output\"],\"properties\":{"
    "\"model_name\":" TEXT ",\"model_version\":" TEXT ",\"text_output\":" TEXT "}}" },
};

static JsonObject *
generate_request (void)
{
  JsonObject *o = serve_ask_schema (SERVE_FIELDS_SETTINGS);
  JsonObject *properties = json_object_get_object_member (o, "properties");

  json_object_set_member (properties, "input", fr_json_parse (TEXT, -1, 0, NULL));
  json_object_set_member (properties, "system", fr_json_parse (TEXT, -1, 0, NULL));
  json_object_set_member (properties, "fields",
                          fr_json_parse ("{\"type\":\"object\"}", -1, 0, NULL));
  json_object_set_member (properties, "variants", fr_json_parse (WHOLE, -1, 0, NULL));
  return o;
}

JsonObject *
serve_components (void)
{
  JsonObject *all = json_object_new ();

  json_object_set_object_member (all, "ChatRequest", serve_ask_schema (SERVE_FIELDS_CHAT));
  json_object_set_object_member (all, "CompletionRequest",
                                 serve_ask_schema (SERVE_FIELDS_COMPLETION));
  json_object_set_object_member (all, "GenerateRequest", generate_request ());
  json_object_set_member (all, "Feedback",
                          fr_json_parse (serve_feedback_request_schema (), -1, 0, NULL));
  json_object_set_member (all, "FeedbackStored",
                          fr_json_parse (serve_feedback_answer_schema (), -1, 0, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (written); i++)
    json_object_set_member (all, written[i].name, fr_json_parse (written[i].schema, -1, 0, NULL));
  return all;
}
