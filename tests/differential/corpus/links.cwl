cwlVersion: v1.2
class: Workflow
requirements:
  InlineJavascriptRequirement: {}
  MultipleInputFeatureRequirement: {}
  StepInputExpressionRequirement: {}
inputs: {a: int, b: "int[]", c: int?, file: File}
outputs:
  out: {type: Any, outputSource: show/out}
  nested: {type: Any, outputSource: [b, b], linkMerge: merge_nested}
  flat: {type: "int[]", outputSource: [a, b], linkMerge: merge_flattened}
  one: {type: Any, outputSource: [b], linkMerge: merge_nested}
steps:
  show:
    in:
      plain: a
      several: {source: [a, c, a]}
      flat: {source: [b, a], linkMerge: merge_flattened}
      fixed: {default: {x: [1, 2]}}
      zero: {source: c, default: 0}
      computed: {source: a, valueFrom: $(self + inputs.plain)}
      swapped: {source: b, valueFrom: $(inputs.computed)}
      text: {source: file, loadContents: true, valueFrom: $(self.contents)}
      names: {source: file, valueFrom: $(self.nameroot + self.nameext)}
      unused: {valueFrom: $(inputs.fixed.x)}
    out: [out]
    run:
      class: ExpressionTool
      inputs:
        plain: Any
        several: Any
        flat: Any
        fixed: Any
        zero: Any
        computed: Any
        swapped: Any
        text: Any
        names: Any
        not_given: {type: string, default: the default}
      outputs: {out: Any}
      expression: "$({out: inputs})"
