cwlVersion: v1.0
class: Workflow
requirements:
  - class: ScatterFeatureRequirement
  - class: StepInputExpressionRequirement
  - class: InlineJavascriptRequirement
  - class: MultipleInputFeatureRequirement
inputs:
  - {id: folder, type: Directory}
  - {id: n, type: int, default: 3}
outputs:
  - {id: sizes, type: "int[]", outputSource: sizes/size}
  - {id: sum, type: int, outputSource: sum/sum}
steps:
  - id: list
    in: [{id: folder, source: folder}]
    out: [files]
    run:
      class: ExpressionTool
      inputs: {folder: Directory}
      outputs: {files: "File[]"}
      expression: |
        ${
          return {files: inputs.folder.listing.filter(function (one) { return one.class == "File"; })};
        }
  - id: sizes
    scatter: file
    in: [{id: file, source: list/files}, {id: n, valueFrom: $(inputs.file.size)}]
    out: [size]
    run:
      class: ExpressionTool
      inputs: {file: File, n: int}
      outputs: {size: int}
      expression: "$({size: inputs.n})"
  - id: sum
    in: [{id: all, source: [sizes/size, n], linkMerge: merge_flattened}]
    out: [sum]
    run:
      class: ExpressionTool
      inputs: {all: "int[]"}
      outputs: {sum: int}
      expression: "$({sum: inputs.all.reduce(function (a, b) { return a + b; })})"
