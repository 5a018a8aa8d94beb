cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs:
  zero: {type: int, default: 0}
  no: {type: boolean, default: false}
  nothing: {type: string, default: ""}
  list: {type: "int[]", default: []}
  grid: {type: {type: array, items: {type: array, items: int}}, default: [[1, 2], [3]]}
  area: {type: Any, default: {type: Polygon, coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}
  file: {type: File, default: {class: File, location: hello.txt}}
  maybe: int?
outputs: {all: Any}
expression: |
  ${
    inputs.file = inputs.file.basename;
    return {all: inputs};
  }
