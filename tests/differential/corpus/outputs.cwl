cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
baseCommand:
  - sh
  - -c
  - |
    mkdir -p d/e empty
    printf 1 > a.txt; printf 22 > b.txt; printf c > c.csv; printf x > d/x.txt; printf y > d/e/y.txt
    ln -s a.txt link
inputs: []
outputs:
  one: {type: File, outputBinding: {glob: a.txt}}
  several: {type: "File[]", outputBinding: {glob: "*.txt"}}
  in_order: {type: "File[]", outputBinding: {glob: [c.csv, "*.txt"]}}
  computed: {type: "File[]", outputBinding: {glob: '$(["b.txt", "a.txt"])'}}
  none: {type: File?, outputBinding: {glob: "*.tif"}}
  no_list: {type: "File[]", outputBinding: {glob: "*.tif"}}
  maybe_list: {type: "File[]?", outputBinding: {glob: "*.tif"}}
  folder: {type: Directory, outputBinding: {glob: d}}
  empty: {type: Directory, outputBinding: {glob: empty}}
  both: {type: {type: array, items: [File, Directory]}, outputBinding: {glob: "[ad]*"}}
  deep: {type: "File[]", outputBinding: {glob: "d/*.txt"}}
  sizes: {type: "int[]", outputBinding: {glob: "*.txt", outputEval: "$(self.map(function (one) { return one.size; }))"}}
  listed:
    type: int
    outputBinding: {glob: d, loadListing: deep_listing, outputEval: "$(self[0].listing.length)"}
  chosen: {type: File, outputBinding: {glob: "*.txt", outputEval: "$(self[1])"}}
  formatted: {type: File, format: "http://example.org/csv", outputBinding: {glob: c.csv}}
