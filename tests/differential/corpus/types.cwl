cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs: {n: int, l: long, d: double, b: boolean, s: string}
outputs: {out: Any}
expression: "$({out: inputs})"
