"""What judges real runs, judged by evidence made by hand: good, and not."""
