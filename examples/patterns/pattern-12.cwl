# An address and a bounding box in, one catalog out
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
  - class: Workflow
    id: pattern-12
    label: An address and a bounding box in, one catalog out
    doc: "A catalog of an area, of scenes that the tool reads by their address."
    requirements:
      SchemaDefRequirement:
        types:
          - $import: https://raw.githubusercontent.com/eoap/schemas/main/string_format.yaml
          - $import: https://raw.githubusercontent.com/eoap/schemas/main/ogc.yaml
      InlineJavascriptRequirement: {}
      StepInputExpressionRequirement: {}
    inputs:
      item: {type: 'https://raw.githubusercontent.com/eoap/schemas/main/string_format.yaml#URI', label: an item, doc: its address}
      aoi: {type: 'https://raw.githubusercontent.com/eoap/schemas/main/ogc.yaml#BBox', label: area of interest, doc: area of interest}
    outputs:
      found: {type: Directory, outputSource: index/found}
    steps:
      index:
        run: '#index'
        in:
          item: {source: item, valueFrom: $(self.value)}
          box: {source: aoi, valueFrom: $(JSON.stringify(self.bbox))}
        out: [found]

  - class: CommandLineTool
    id: index
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      item: {type: string, inputBinding: {position: 2}}
      box: {type: string, inputBinding: {prefix: --box=, separate: false, position: 1}}
    arguments: [python3, $(inputs.script.path), index, clip, out]
    outputs:
      found: {type: Directory, outputBinding: {glob: out}}
