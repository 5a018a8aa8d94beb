cwlVersion: v1.2
class: Workflow
requirements: {MultipleInputFeatureRequirement: {}}
inputs: {a: int?, b: int?}
outputs:
  only: {type: int, outputSource: [a, b], pickValue: the_only_non_null}
steps: []
