# The whole listing is an expression; what it gives is not evaluated again.
cwlVersion: v1.2
class: CommandLineTool
requirements:
  InlineJavascriptRequirement: {}
  InitialWorkDirRequirement:
    listing: |
      ${
        var all = inputs.folder.listing.slice();
        all.push({entryname: "script.sh", entry: "echo $(date)"});
        return all;
      }
baseCommand: [sh, -c, 'find -L . -type f ! -name report.txt | LC_ALL=C sort | xargs cat']
inputs: {folder: {type: Directory, loadListing: shallow_listing}}
outputs: {report: stdout}
stdout: report.txt
