cwlVersion: v1.2
class: Workflow
requirements:
  InlineJavascriptRequirement: {}
  MultipleInputFeatureRequirement: {}
  ScatterFeatureRequirement: {}
inputs: {n: int, numbers: "int[]"}
outputs:
  maybe: {type: int?, outputSource: maybe/out}
  first: {type: int, outputSource: [maybe/out, always/out], pickValue: first_non_null}
  all: {type: "int[]", outputSource: [maybe/out, always/out], pickValue: all_non_null}
  scattered: {type: {type: array, items: ["null", int]}, outputSource: scattered/out}
  picked: {type: "int[]", outputSource: scattered/out, pickValue: all_non_null}
steps:
  maybe:
    in: {n: n}
    when: $(inputs.n > 1)
    run: &double
      class: ExpressionTool
      inputs: {n: int}
      outputs: {out: int}
      expression: "$({out: inputs.n * 2})"
    out: [out]
  always: {in: {n: n}, when: $(true), run: *double, out: [out]}
  scattered: {in: {n: numbers}, scatter: n, when: $(inputs.n % 2 == 0), run: *double, out: [out]}
