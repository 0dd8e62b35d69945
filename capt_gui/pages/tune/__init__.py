"""The tuning wizard: from folders of pictures to prompts of one's own, in five steps."""
