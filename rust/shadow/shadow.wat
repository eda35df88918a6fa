;; The memory of a tracked module as its last good call left it, and the ways between the two.
;;
;; Memory 0 is the module's, memory 1 is the *shadow*: its byte at an address is the byte that the module's memory had
;; there. The table of cards (rust/rewriter/src/cards.rs) has a byte for each 4 KiB of memory; it is in memory 0 itself,
;; from the address that the global `cards` has. A byte that is not 0 is a *mark*: it stands for its card and the first
;; 1,024 bytes of the next one; the next one of the table's last card is card 0. Marks of cards beyond the end of memory were made for stores
;; that trapped; they stand for nothing, and stay.
;;
;; Two parts of memory 0 are never copied nor compared: the table, and the bytes from `from` up to, not including, `to`:
;; the Rust stack, of which nothing is needed outside of a call. `from` is 0, and `to` what the stack pointer is in a new
;; instance; both are 0 where the stack pointer is not known. A call that leaves the stack pointer elsewhere must be
;; rolled back: its frames are gone.
;;
;;   initialise(from, to) -> 0, or -1     copies all of memory 0 to the shadow, and clears the marks
;;   commit(from, to) -> cards, or -1     copies what is marked to the shadow, and clears the marks
;;   rollback(from, to) -> cards, or -1   copies what is marked back from the shadow, and clears the marks
;;   differs(from, to) -> address, or -1  the first byte that is not the same in memory 0 and in the shadow
;;
;; `cards` is how many cards were copied, a part of a card being one. -1 instead of a number: the shadow could not grow to
;; the size of memory 0, and nothing was copied or cleared. A shadow grows by zeros, as memories do: so memory that a call
;; added is all zeros after a rollback. `differs` takes bytes that the shadow does not have yet for zeros, too.
(module
  (import "module" "memory" (memory $memory 0))
  (import "shadow" "memory" (memory $shadow 0))
  (import "module" "cards" (global $cards i32))

  ;; How many bytes the table has.
  (global $table i32 (i32.const 0x100000))
  ;; Bytes that were copied since the call began, as cards.
  (global $copied (mut i32) (i32.const 0))

  ;; Makes the shadow as large as the memory.
  (func $grow (result i32)
    (local $missing i32)
    (local.set $missing (i32.sub (memory.size $memory) (memory.size $shadow)))
    (if (i32.le_s (local.get $missing) (i32.const 0)) (then (return (i32.const 1))))
    (i32.ne (memory.grow $shadow (local.get $missing)) (i32.const -1)))

  ;; Copies from $begin up to $end, which has no bytes of the parts that are left out.
  (func $copy (param $begin i32) (param $end i32) (param $back i32)
    (local $length i32)
    (if (i32.ge_u (local.get $begin) (local.get $end)) (then (return)))
    (local.set $length (i32.sub (local.get $end) (local.get $begin)))
    (global.set $copied (i32.add (global.get $copied)
      (i32.shr_u (i32.add (local.get $length) (i32.const 4095)) (i32.const 12))))
    (if (local.get $back)
      (then (memory.copy $memory $shadow (local.get $begin) (local.get $begin) (local.get $length)))
      (else (memory.copy $shadow $memory (local.get $begin) (local.get $begin) (local.get $length)))))

  ;; Copies from $begin up to $end without the table.
  (func $copy_beside_table (param $begin i32) (param $end i32) (param $back i32)
    (local $after i32)
    (local.set $after (i32.add (global.get $cards) (global.get $table)))
    (call $copy (local.get $begin) (call $lower (local.get $end) (global.get $cards)) (local.get $back))
    (call $copy (call $higher (local.get $begin) (local.get $after)) (local.get $end) (local.get $back)))

  ;; Copies from $begin up to $end without the parts that are left out.
  (func $copy_part (param $begin i32) (param $end i32) (param $from i32) (param $to i32) (param $back i32)
    (if (i32.ge_u (local.get $from) (local.get $to))
      (then (return (call $copy_beside_table (local.get $begin) (local.get $end) (local.get $back)))))
    (call $copy_beside_table (local.get $begin) (call $lower (local.get $end) (local.get $from)) (local.get $back))
    (call $copy_beside_table (call $higher (local.get $begin) (local.get $to)) (local.get $end) (local.get $back)))

  (func $lower (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.lt_u (local.get $a) (local.get $b))))
  (func $higher (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.gt_u (local.get $a) (local.get $b))))

  ;; Copies what is marked, one run of cards after the other, and clears the marks.
  (func $copy_marked (param $from i32) (param $to i32) (param $back i32)
    (local $at i32) (local $end i32) (local $begin i32)
    ;; Memory has a whole number of pages, and a page has 16 cards. No memory has all 4 GiB, so its size fits.
    (local.set $at (global.get $cards))
    (local.set $end (i32.add (global.get $cards) (i32.shl (memory.size $memory) (i32.const 4))))
    ;; The mark of the table's last card is beyond the end of any memory, and stands for card 0.
    (if (i32.load8_u offset=0xfffff (global.get $cards))
      (then
        (i32.store8 (global.get $cards) (i32.const 1))
        (i32.store8 offset=0xfffff (global.get $cards) (i32.const 0))))
    (block $done
      (loop $words
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (if (i64.eqz (i64.load (local.get $at)))
          (then
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br $words)))
        ;; There is a mark among the next eight: the first one.
        (loop $skip
          (if (i32.eqz (i32.load8_u (local.get $at)))
            (then
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $skip))))
        (local.set $begin (local.get $at))
        ;; To the first card without a mark, or to the end.
        (block $ended
          (loop $run
            (i32.store8 (local.get $at) (i32.const 0))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $ended (i32.ge_u (local.get $at) (local.get $end)))
            (br_if $run (i32.load8_u (local.get $at)))))
        ;; The beginning of that card belongs to the mark before it.
        (call $copy_part
          (call $address (local.get $begin))
          (call $lower
            (i32.add (call $address (local.get $at)) (i32.const 1024))
            (call $address (local.get $end)))
          (local.get $from) (local.get $to) (local.get $back))
        ;; On to the word's beginning: cards of it may follow.
        (local.set $at (i32.and (local.get $at) (i32.const -8)))
        (br $words))))

  ;; The address where a card begins, of its byte in the table.
  (func $address (param $byte i32) (result i32)
    (i32.shl (i32.sub (local.get $byte) (global.get $cards)) (i32.const 12)))

  (func $move (param $from i32) (param $to i32) (param $back i32) (result i32)
    (if (i32.eqz (call $grow)) (then (return (i32.const -1))))
    (global.set $copied (i32.const 0))
    (call $copy_marked (local.get $from) (local.get $to) (local.get $back))
    (global.get $copied))

  (func (export "commit") (param $from i32) (param $to i32) (result i32)
    (call $move (local.get $from) (local.get $to) (i32.const 0)))

  (func (export "rollback") (param $from i32) (param $to i32) (result i32)
    (call $move (local.get $from) (local.get $to) (i32.const 1)))

  (func (export "initialise") (param $from i32) (param $to i32) (result i32)
    (if (i32.eqz (call $grow)) (then (return (i32.const -1))))
    (call $copy_part
      (i32.const 0) (i32.shl (memory.size $memory) (i32.const 16))
      (local.get $from) (local.get $to) (i32.const 0))
    (memory.fill $memory (global.get $cards) (i32.const 0) (global.get $table))
    (i32.const 0))

  (func (export "differs") (param $from i32) (param $to i32) (result i32)
    (local $at i32) (local $end i32) (local $known i32) (local $table_end i32)
    (local.set $end (i32.shl (memory.size $memory) (i32.const 16)))
    (local.set $known (i32.shl (memory.size $shadow) (i32.const 16)))
    (local.set $table_end (i32.add (global.get $cards) (global.get $table)))
    (loop $bytes
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const -1))))
      (if (i32.and (i32.ge_u (local.get $at) (local.get $from)) (i32.lt_u (local.get $at) (local.get $to)))
        (then (local.set $at (local.get $to)) (br $bytes)))
      (if (i32.and (i32.ge_u (local.get $at) (global.get $cards)) (i32.lt_u (local.get $at) (local.get $table_end)))
        (then (local.set $at (local.get $table_end)) (br $bytes)))
      ;; Eight bytes at a time, where none of these is left out.
      (if (i32.eqz (i32.and (local.get $at) (i32.const 7)))
        (then
          (if (i32.or
                (i32.ge_u (local.get $at) (local.get $to))
                (i32.le_u (i32.add (local.get $at) (i32.const 8)) (local.get $from)))
            (then
              (if (i64.eq (i64.load $memory (local.get $at)) (call $word (local.get $at) (local.get $known)))
                (then (local.set $at (i32.add (local.get $at) (i32.const 8))) (br $bytes)))))))
      (if (i32.ne (i32.load8_u $memory (local.get $at)) (call $byte (local.get $at) (local.get $known)))
        (then (return (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $bytes))
    (unreachable))

  (func $word (param $at i32) (param $known i32) (result i64)
    (if (i32.ge_u (local.get $at) (local.get $known)) (then (return (i64.const 0))))
    (i64.load $shadow (local.get $at)))

  (func $byte (param $at i32) (param $known i32) (result i32)
    (if (i32.ge_u (local.get $at) (local.get $known)) (then (return (i32.const 0))))
    (i32.load8_u $shadow (local.get $at))))
