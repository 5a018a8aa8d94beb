# Scenes in, several catalogs out for each
cwlVersion: v1.2
$namespaces: {s: "https://schema.org/"}
s:softwareVersion: 1.0.0
$graph:
  - class: Workflow
    id: pattern-10
    label: Scenes in, several catalogs out for each
    doc: Several indices of each of several scenes.
    requirements:
      ScatterFeatureRequirement: {}
    inputs:
      scenes: {type: 'Directory[]', label: scenes, doc: scenes}
    outputs:
      found: {type: {type: array, items: {type: array, items: Directory}}, outputSource: index/found}
    steps:
      index:
        run: '#index'
        scatter: scene
        in: {scene: scenes}
        out: [found]

  - class: CommandLineTool
    id: index
    inputs:
      script: {type: File, default: {class: File, location: scene.py}}
      scene: {type: Directory, inputBinding: {position: 1}}
    arguments: [python3, $(inputs.script.path), indices, "ndvi,ndwi"]
    outputs:
      found: {type: "Directory[]", outputBinding: {glob: [ndvi, ndwi]}}
