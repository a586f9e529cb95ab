# frozen_string_literal: true

module Library
  # Who asks: a member, or somebody at the desk.
  Session = Struct.new(:member_id, :desk, keyword_init: true) do
    def may_see?(member_id)
      desk || self.member_id == member_id
    end
  end

  class Forbidden < StandardError; end
end
