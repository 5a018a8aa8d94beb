cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}, InlineJavascriptRequirement: {}, StepInputExpressionRequirement: {}}
inputs: {numbers: "int[]", words: "string[]"}
outputs:
  dot: {type: "string[]", outputSource: dot/out}
  flat: {type: "string[]", outputSource: flat/out}
  nested: {type: {type: array, items: {type: array, items: string}}, outputSource: nested/out}
  empty: {type: {type: array, items: {type: array, items: string}}, outputSource: empty/out}
  files: {type: "File[]", outputSource: files/out}
steps:
  dot:
    in: {n: numbers, w: words}
    scatter: [n, w]
    scatterMethod: dotproduct
    run: &join
      class: ExpressionTool
      inputs: {n: int, w: string}
      outputs: {out: string}
      expression: "$({out: inputs.n + inputs.w})"
    out: [out]
  flat: {in: {n: numbers, w: words}, scatter: [n, w], scatterMethod: flat_crossproduct, run: *join, out: [out]}
  nested: {in: {n: numbers, w: words}, scatter: [w, n], scatterMethod: nested_crossproduct, run: *join, out: [out]}
  empty:
    in: {n: {default: []}, w: words}
    scatter: [w, n]
    scatterMethod: nested_crossproduct
    run: *join
    out: [out]
  files:
    in: {word: words}
    scatter: word
    run:
      class: CommandLineTool
      baseCommand: printf
      inputs: {word: {type: string, inputBinding: {}}}
      outputs: {out: stdout}
      stdout: $(inputs.word).txt
    out: [out]
