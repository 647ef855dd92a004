/* SPDX-License-Identifier: Apache-2.0 */
/* platforms.h: the routes that hosting platforms call: Amazon SageMaker, Azure Machine Learning,
 * and the Open Inference Protocol v2 of KServe and Triton.
 *
 *   SageMaker   GET /ping, POST /invocations      ("Use Your Own Inference Code with Hosting
 * Services") Azure ML    POST /score                        (readiness and liveness are /readyz and
 * /healthz) OIP v2      /v2, /v2/health/…, /v2/models/M[/versions/V][/ready, /infer, /generate,
 * /generate_stream]
 *
 * /invocations and /score take what any of the other routes takes, told apart by its members:
 * "messages", "prompt", "inputs" with "parameters" as text-generation-inference has them, or what
 * /generate takes.
 *
 * A bare text (inputs, text_input) is a question, and rendered as /generate renders "input"; with
 * the parameter "raw" it is a text to go on with.
 */
#ifndef FLOWRUN_SERVE_PLATFORMS_H
#define FLOWRUN_SERVE_PLATFORMS_H

#include "ask.h"

G_BEGIN_DECLS

extern const HttpRoute serve_platforms_routes[];

G_END_DECLS

#endif
